"""What the rest of the document says that a line leaves out: the environment file it speaks of, its
compose files, the routes it names. Suggestions only; a value that a person must give is never taken
from here.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from verifier.checklist.markdown import Page
from verifier.checklist.vocabulary import folded

_ENV_FILE = re.compile(
    r"(?<![\w/.-])(?P<path>(?:[\w.-]+/)*\.env(?:\.[A-Za-z][\w-]*)*)(?![\w-]|\.\w)"
)
_COMPOSE_FILE = re.compile(
    r"(?<![\w/.-])(?P<path>(?:[\w.-]+/)*(?:docker-)?compose(?:[.-][\w-]+)*\.ya?ml)"
)
_EXAMPLE = re.compile(r"\.(?:example|sample|template|dist)\b")
_HEALTH = re.compile(
    r"(?<![\w:])(?P<route>/(?:api/)?(?:v\d+/)?(?:health(?:z|check|-check)?|healthz|livez|readyz|ping|status)(?:/[a-z]+)?)(?![\w-])"
)
_URL = re.compile(r"https?://[^\s`'\"<>)\]]+")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """`env_files` and `compose_files` as the document names them, most often first."""

    text: str
    env_files: tuple[str, ...]
    env_examples: tuple[str, ...]
    compose_files: tuple[str, ...]
    health_routes: tuple[str, ...]
    urls: tuple[str, ...]
    speaks_of_compose: bool

    @property
    def env_file(self) -> str:
        """The one for production, where it is told apart."""
        production = [f for f in self.env_files if re.search(r"prod|live", f)]
        return (production or list(self.env_files) or [".env"])[0]

    @property
    def stack_files(self) -> tuple[str, ...]:
        """The compose files a production deployment uses: the base and its overlay."""
        other = re.compile(r"dev|test|staging|local|override|example", re.IGNORECASE)
        mine = [f for f in self.compose_files if not other.search(f)]
        base = [f for f in mine if re.search(r"(?:^|/)(?:docker-)?compose\.ya?ml$", f)]
        overlay = [f for f in mine if re.search(r"prod", f)]
        return tuple(dict.fromkeys([*(base or ["docker-compose.yml"]), *overlay[:1]]))


def look_around(page: Page) -> Surroundings:
    parts = [line.title for line in page.lines]
    parts += [fence.text for fence in page.fences]
    parts += [text for _, _, text in page.prose]
    parts += [heading.title for heading in page.headings]
    text = "\n".join(parts)
    env = _often(m["path"] for m in _ENV_FILE.finditer(text))
    return Surroundings(
        text=text,
        env_files=tuple(f for f in env if not _EXAMPLE.search(f)),
        env_examples=tuple(f for f in env if _EXAMPLE.search(f)),
        compose_files=_often(m["path"] for m in _COMPOSE_FILE.finditer(text)),
        health_routes=_often(m["route"] for m in _HEALTH.finditer(text)),
        urls=_often(m.group(0) for m in _URL.finditer(text)),
        speaks_of_compose=bool(re.search(r"docker[ -]compose|compose\.ya?ml", folded(text))),
    )


def _often(found: object) -> tuple[str, ...]:
    counted = Counter(found)  # type: ignore[call-overload]
    return tuple(name for name, _ in counted.most_common())
