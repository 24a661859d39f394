"""A command takes something away that does not come back by itself.

`docker volume prune`, `docker system prune --volumes` and `compose down -v` take volumes. Before
Engine 23 (API 1.42) `volume prune` also takes named volumes that no container uses, and after `down`
that is the database; since then it takes the anonymous ones, where an image without a named volume
keeps its data. `image prune` takes the untagged image that a rollback would need.

    docker compose down
    docker volume prune -f
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from verifier.lint.finding import Finding, Severity, quoted
from verifier.lint.production import production_of
from verifier.lint.sheet import Said, Sheet

_SHELL = (
    (
        re.compile(r"(?:docker|podman) volume prune\b(?!.*--filter)"),
        Severity.ERROR,
        "takes every unused volume: before Engine 23 the named ones, too, and after `down` that is the database",
        "leave it out; remove single volumes by name after a verified backup",
    ),
    (
        re.compile(r"(?:docker|podman) system prune\b(?=.*--volumes)"),
        Severity.ERROR,
        "takes unused volumes with it: before Engine 23 the named ones, too",
        "leave out `--volumes`",
    ),
    (
        re.compile(r"docker(?:-compose| compose)\b.* down\b(?=.* (?:-v\b|-\w*v\b|--volumes))"),
        Severity.ERROR,
        "takes the named volumes of the project, the database among them",
        "write `down` without `-v`",
    ),
    (
        re.compile(r"docker volume rm\b"),
        Severity.WARNING,
        "takes a volume and what is in it",
        "take and verify a backup in a line before it",
    ),
    (
        re.compile(r"docker (?:image|system) prune\b(?!.*--filter)|docker rmi\b"),
        Severity.WARNING,
        "takes images that no container uses: an untagged older image is the only way back",
        "tag the running image for the rollback before, and prune with a filter",
    ),
    (
        re.compile(r"git (?:reset --hard|clean -\w*f|checkout (?:-f\b|--force|-- \.))"),
        Severity.WARNING,
        "throws away what is not committed",
        "deploy a tagged release into a folder of its own",
    ),
    (
        re.compile(r"git push\b(?=.* (?:--force\b(?!-with)|-f\b))"),
        Severity.WARNING,
        "overwrites the history that others have",
        "write `git revert`, or `--force-with-lease`",
    ),
    (
        re.compile(
            r"kubectl delete (?:namespace|ns|pvc|pv|statefulset|all)\b|terraform destroy|helm (?:uninstall|delete)\b"
        ),
        Severity.WARNING,
        "takes the resources and their data",
        "name what is lost, and take a verified backup in a line before it",
    ),
    (
        re.compile(
            r"dropdb\b|.*\b(?:drop|truncate) (?:table|database|schema)\b|.*\b(?:flushall|flushdb)\b",
            re.IGNORECASE,
        ),
        Severity.WARNING,
        "takes data of the database",
        "take and verify a backup in a line before it",
    ),
    (
        re.compile(r".*\b(?:migrate[: ](?:reset|fresh)|db:drop|db:reset|db push --force-reset)\b"),
        Severity.ERROR,
        "empties the database",
        "write the migration that only adds",
    ),
    (
        re.compile(r"(?:mkfs|shred|wipefs)\b|dd\b.*\bof=/dev/"),
        Severity.ERROR,
        "wipes a device",
        "leave it out of a deployment",
    ),
)
_REMOVES = re.compile(r"rm -(?:\w*[rR]\w*f|\w*f\w*[rR])\w*\b|rm -r")
_MADE_ANEW = re.compile(
    r"(?:^|/)(?:node_modules|dist|build|out|\.next|\.nuxt|\.cache|cache|tmp|temp|coverage|target|__pycache__|\.turbo|vendor|package-lock\.json"
    r"|\.vite|staticfiles|public/build|yarn\.lock|\*\.log|bin|obj)(?:/\*?)?$|^/tmp/|^/var/(?:cache|tmp)/|^/etc/nginx/sites-enabled/"
)


def look(sheet: Sheet) -> Iterator[Finding]:
    volumes = _data_volumes(sheet)
    for said in sheet.commands:
        for words in said.command.parts:
            bare = " ".join(words)
            known = next(((s, why, fix) for p, s, why, fix in _SHELL if p.match(bare)), None)
            known = known or _removal(words, bare)
            if known:
                severity, why, fix = known
                named = f" ({', '.join(volumes)})" if volumes and "olume" in why else ""
                yield Finding(
                    said.line,
                    "",
                    severity,
                    f"{quoted(said.command.text)}: {why}{named}{_after_down(sheet, said, bare)}",
                    fix,
                )
                break


def _removal(words: tuple[str, ...], bare: str) -> tuple[Severity, str, str] | None:
    if not _REMOVES.match(bare):
        return None
    targets = [w for w in words[1:] if not w.startswith("-") and not _MADE_ANEW.search(w)]
    if any(
        t in ("/", "/*", "~", "~/", "$HOME", ".", "*", "./*")
        or re.fullmatch(r"/(?:etc|var|home|usr|opt|srv)/?\*?", t)
        for t in targets
    ):
        return Severity.ERROR, "deletes everything there", "name the one folder that is to go"
    if any(re.search(r"\$\{?\w+\}?/?\*?$", t) and "/" in t for t in targets):
        return (
            Severity.WARNING,
            "deletes another folder when the variable is empty",
            "write `${NAME:?}`",
        )
    if targets:
        return (
            Severity.WARNING,
            "deletes a folder and all in it",
            "move it away first: it is the way back",
        )
    return None


def _data_volumes(sheet: Sheet) -> tuple[str, ...]:
    stack = production_of(sheet).stack
    return stack.data_volumes if stack else ()


def _after_down(sheet: Sheet, said: Said, bare: str) -> str:
    """The worst order there is: `down` frees the volumes that the prune then takes."""
    if "volume prune" not in bare:
        return ""
    earlier = (
        s
        for s in sheet.commands
        if s.line < said.line
        and re.match(r"docker(?:-compose| compose)\b.* down\b", s.command.text)
    )
    down = next(earlier, None)
    return f"; `down` in line {down.line} has freed them" if down else ""
