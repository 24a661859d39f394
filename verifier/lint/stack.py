"""Stack: the compose files of a project merged as compose itself would merge them, as far as text
alone shows it: services, published ports, environment, external networks and volumes. Starts no
engine.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from verifier.checks._dotenv import parse_env
from verifier.document import parse_yaml
from verifier.errors import DocumentError
from verifier.lint.project import Project, inside

DEFAULT_FILES = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
COMPOSE_FILE = re.compile(
    r"(?<![\w/.-])(?P<path>(?:[\w.-]+/)*(?:docker-)?compose(?:[.-][\w-]+)*\.ya?ml)(?!\w)"
)
VARIABLE = re.compile(
    r"\$(?:\{(?P<name>\w+)(?:(?P<sign>:?[-?+])(?P<word>[^{}]*))?\}|(?P<bare>[A-Za-z_]\w*))"
)
_TAG = re.compile(r"!(?:reset|override)\b[ \t]*")
_DATABASES = re.compile(
    r"(?:^|/)(?:mysql|mariadb|postgres|postgis|mongo|redis|timescaledb|percona|mssql)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Port:
    """One published port. `host` is 0 where the engine picks one."""

    service: str
    host: int
    container: int


@dataclass(frozen=True, slots=True)
class Service:
    """`environment` holds values as they are written, before variables are put in."""

    name: str
    image: str
    is_built: bool
    ports: tuple[Port, ...]
    environment: Mapping[str, str] = field(repr=False)
    env_files: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()

    @property
    def is_database(self) -> bool:
        return bool(_DATABASES.search(self.image))


@dataclass(frozen=True, slots=True)
class Stack:
    """`is_whole` says whether all of it could be read, so that what is absent is absent; `variables`
    are those any value asks for; `emptied` are services whose ports an overlay tries to take away.
    """

    files: tuple[str, ...]
    services: Mapping[str, Service]
    external: tuple[tuple[str, str], ...]  # kind (network, volume) and name
    variables: frozenset[str]
    emptied: tuple[tuple[str, str], ...]  # file, service
    is_whole: bool

    @property
    def ports(self) -> tuple[Port, ...]:
        return tuple(port for service in self.services.values() for port in service.ports)

    @property
    def data_volumes(self) -> tuple[str, ...]:
        """The named volumes of its databases."""
        return tuple(v for s in self.services.values() if s.is_database for v in s.volumes)


def default_files(project: Project, folder: str) -> tuple[str, ...]:
    """What compose reads in a folder where no `-f` is given: none when there is no such file."""
    for name in DEFAULT_FILES:
        path = inside(folder, name)
        if path in project.files:
            stem, end = name.rsplit(".", 1)
            override = inside(folder, f"{stem}.override.{end}")
            return (path, override) if override in project.files and override else (path,)
    return ()


def read_stack(project: Project, files: tuple[str, ...], env_file: str = "") -> Stack:
    """The files merged in their order, variables from the environment file where it is there."""
    merged: dict[str, dict[str, object]] = {}
    tops: dict[str, dict[str, object]] = {"networks": {}, "volumes": {}}
    emptied: list[tuple[str, str]] = []
    variables: set[str] = set()
    whole = bool(files)
    for file in files:
        text = project.text(file)
        variables |= {m["name"] or m["bare"] for m in VARIABLE.finditer(text)}
        data = _parsed(text, file)
        whole = whole and bool(data) and "include" not in data
        for name, given in _mapping(data.get("services")).items():
            new = _mapping(given)
            whole = whole and "extends" not in new
            if (
                new.get("ports") == []
                and "ports" in merged.get(name, {})
                and "ports" not in _tagged(text)
            ):
                emptied.append((file, name))
            merged[name] = _merge(merged.get(name, {}), new, _tagged(text))
        for kind, top in tops.items():
            top.update(_mapping(data.get(kind)))
    values = _values(project, env_file)
    return Stack(
        files=files,
        services={n: _service(n, s, values, tuple(tops["volumes"])) for n, s in merged.items()},
        external=tuple(
            (kind.removesuffix("s"), _real_name(name, given))
            for kind, top in tops.items()
            for name, given in top.items()
            if _mapping(given).get("external")
        ),
        variables=frozenset(variables),
        emptied=tuple(emptied),
        is_whole=whole,
    )


def _parsed(text: str, where: str) -> dict[str, object]:
    try:
        return _mapping(parse_yaml(_TAG.sub("", text), where=where))
    except DocumentError:
        return {}


def _tagged(text: str) -> frozenset[str]:
    """The keys that a file replaces instead of adding to."""
    return frozenset(re.findall(r"(\w+):[ \t]*!(?:reset|override)\b", text))


def _merge(
    old: Mapping[str, object], new: Mapping[str, object], replaced: frozenset[str]
) -> dict[str, object]:
    merged = dict(old)
    for key, value in new.items():
        if key == "environment":
            merged[key] = {**_pairs(old.get(key)), **_pairs(value)}
        elif key in ("ports", "volumes", "env_file") and key not in replaced:
            merged[key] = [*_list(old.get(key)), *_list(value)]
        else:
            merged[key] = value
    return merged


def _service(
    name: str, given: Mapping[str, object], values: Mapping[str, str], named: tuple[str, ...]
) -> Service:
    mounts = [
        str(v).split(":")[0] if isinstance(v, str) else str(_mapping(v).get("source"))
        for v in _list(given.get("volumes"))
    ]
    files = [
        str(_mapping(f).get("path", "")) if isinstance(f, dict) else str(f)
        for f in _list(given.get("env_file"))
    ]
    return Service(
        name=name,
        image=resolved(str(given.get("image") or ""), values),
        is_built="build" in given,
        ports=tuple(
            dict.fromkeys(p for one in _list(given.get("ports")) for p in _ports(name, one, values))
        ),
        environment=_pairs(given.get("environment")),
        env_files=tuple(f.removeprefix("./") for f in files),
        volumes=tuple(m for m in mounts if m in named),
    )


def resolved(text: str, values: Mapping[str, str]) -> str:
    """`text` with its variables put in; one without value or default becomes empty."""

    def value_of(match: re.Match[str]) -> str:
        known = values.get(match["name"] or match["bare"] or "")
        if (match["sign"] or "").endswith("+"):
            return str(match["word"]) if known else ""
        return known or (match["word"] or "" if "-" in (match["sign"] or "") else "")

    return VARIABLE.sub(value_of, VARIABLE.sub(value_of, text))


def _ports(service: str, given: object, values: Mapping[str, str]) -> Iterator[Port]:
    if isinstance(given, dict):
        host, container = str(given.get("published") or "0"), str(given.get("target") or "")
    else:
        parts = resolved(str(given), values).split("/")[0].rsplit(":", 2)
        host, container = (parts[-2] if len(parts) > 1 else "0"), parts[-1]
    host, container = resolved(host, values), resolved(container, values)
    first, last, inner = (*host.split("-"), host)[0], host.split("-")[-1], container.split("-")[0]
    if not (first.isdigit() and last.isdigit() and inner.isdigit()):
        return
    for step in range(min(int(last) - int(first), 100) + 1):
        yield Port(service, int(first) + step, int(inner) + step)


def _values(project: Project, env_file: str) -> dict[str, str]:
    return parse_env(project.text(env_file or ".env")).values


def _real_name(name: str, given: object) -> str:
    external = _mapping(given).get("external")
    named = _mapping(external).get("name") or _mapping(given).get("name")
    return str(named or name)


def _pairs(given: object) -> dict[str, str]:
    if isinstance(given, list):
        split = (str(word).partition("=") for word in given)
        return {name: value for name, _, value in split}
    return {str(k): "" if v is None else str(v) for k, v in _mapping(given).items()}


def _mapping(given: object) -> dict[str, object]:
    return {str(k): v for k, v in given.items()} if isinstance(given, dict) else {}


def _list(given: object) -> list[object]:
    return given if isinstance(given, list) else [] if given is None else [given]
