"""The newest backup of a database is fresh and whole.

    - id: database-backup-whole
      check: backup_file
      with:
        directory: "{{ release_root }}/backups"
        pattern: "filewallball-*.sql.gz"
        marker: "^-- Dump completed"

The newest file that matches must be younger than `max_age_s` and larger than `min_bytes`; its
SHA-256 must be the one in `<file>.sha256`; it must unpack without an error and its last lines hold
`marker`, which a dump program writes only when it came to its end (`^-- PostgreSQL database dump
complete`). With a `mode` its permissions are judged as well: a dump holds everything the database
held.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, replace

from verifier.checks.base import Check, Host, Mismatch, ask
from verifier.errors import CannotObserve

_LISTED = r"%T@ %s %m %f\n"


@dataclass(frozen=True)
class Params:
    directory: str
    pattern: str
    marker: str
    max_age_s: int = 86400
    min_bytes: int = 200
    checksum: bool = True
    mode: str = "0600"


@dataclass(frozen=True)
class Seen:
    """`file` is "" when nothing matches; `ending` is the last lines of the unpacked dump."""

    file: str = ""
    age_s: int = 0
    size: int = 0
    mode: str = ""
    recorded: str = ""
    counted: str = ""
    unpacks: bool = False
    ending: str = ""


def observe(host: Host, want: Params) -> Seen:
    listing = ask(
        host,
        "find %s -maxdepth 1 -type f -name %s -printf %s",
        *(want.directory, want.pattern, _LISTED),
    )
    found = sorted((line.split(" ", 3) for line in listing.splitlines()), key=lambda f: float(f[0]))
    if not found:
        return Seen()
    made, size, mode, name = found[-1]
    path = f"{want.directory}/{name}"
    now = int(ask(host, "date %s", "+%s"))
    recorded = host.run("cat %s", f"{path}.sha256").stdout.split()
    unpacked, ending = _unpacked(host, path)
    return Seen(
        name,
        now - int(float(made)),
        int(size),
        mode.zfill(4),
        recorded[0] if recorded else "",
        ask(host, "sha256sum %s", path).split()[0],
        unpacked,
        ending,
    )


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    if not seen.file:
        return [Mismatch(f"backups in {want.directory}", f"a file {want.pattern}", "none")]
    what = f"backup {seen.file}"
    found = []
    if seen.age_s > want.max_age_s:
        found.append(Mismatch(what, f"younger than {want.max_age_s} s", f"{seen.age_s} s old"))
    if seen.size < want.min_bytes:
        found.append(Mismatch(what, f"at least {want.min_bytes} bytes", str(seen.size)))
    if want.mode and seen.mode != want.mode:
        found.append(Mismatch(what, f"mode {want.mode}", seen.mode))
    if want.checksum and not seen.recorded:
        found.append(Mismatch(what, "a checksum beside it", "there is no .sha256 file"))
    elif want.checksum and seen.recorded != seen.counted:
        saw = f"{seen.counted[:12]}…: it was changed or cut"
        found.append(Mismatch(what, f"SHA-256 {seen.recorded[:12]}…", saw))
    return found + _about_the_end(want, seen, what)


def _impossible(want: Params) -> Params:
    return replace(want, marker="^-- verifier-no-such-thing$")


CHECK = Check(Params, observe, judge, impossible=_impossible)


def _unpacked(host: Host, path: str) -> tuple[bool, str]:
    whole = host.run("gzip -t %s", path)
    if whole.rc not in (0, 1, 2):
        raise CannotObserve(f"gzip cannot be run: {whole.stderr.strip()[:200]}")
    ending = host.run(f"gzip -cd {shlex.quote(path)} 2>/dev/null | tail -n 8").stdout
    # Only comments are kept: the last lines of a dump that was cut short are somebody's data.
    kept = "\n".join(line for line in ending.splitlines() if line.startswith("--"))
    return whole.rc == 0, kept[:500]


def _about_the_end(want: Params, seen: Seen, what: str) -> list[Mismatch]:
    if not seen.unpacks:
        return [Mismatch(what, "unpacks without an error", "gzip finds it damaged or cut short")]
    if not re.search(want.marker, seen.ending, re.MULTILINE):
        return [Mismatch(what, f"an end that matches '{want.marker}'", "the dump has no such end")]
    return []
