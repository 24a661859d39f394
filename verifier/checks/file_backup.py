"""The newest backup of an application's files is fresh, whole, and unpacks to what is in use.

    - id: files-backed-up
      check: file_backup
      with:
        directory: "{{ release_root }}/backups"
        pattern: "shop-files-*.tar.gz"
        holds: [release.json, uploads]
        same: {.env: "{{ release_dir }}/.env"}

The newest `.tar.gz` that matches must be younger than `max_age_s`, have the permissions `mode` and
the SHA-256 in `<file>.sha256`, and unpack without an error into a scratch folder (0700), which is
removed afterwards. There each path of `holds` must be a file that is not empty or a folder with a
file in it, and each path of `same` must be a file equal to the one on the host. They are compared
on the host and only the verdict is kept, so that a file of secrets can be among them. One of the two
is required. Links and special files in the archive are unpacked but never followed out of it.

No tar and an archive that unpacks to more than `max_mb` are no answer, and neither is a file of
`same` that cannot be read on the host; one that is not there is red. A folder an earlier look left
behind is red and named, never removed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated

from pydantic import Field

from verifier.checks._restore import read_told
from verifier.checks.base import Check, Host, Mismatch
from verifier.errors import CannotObserve

_MIB = 1_048_576
_LOOK = r"""
umask 077
directory=$1 pattern=$2 max_bytes=$3 within=$4
shift 4
tell() { printf '%s\t%s\n' "$1" "$2"; }
folder=
remove() { [ -z "$folder" ] || { chmod -R u+rwX -- "$folder"; rm -rf -- "$folder"; }; }
trap remove EXIT
# PIPE: whoever reads this may be gone, and what was made here must still be removed.
trap 'exit 1' HUP INT PIPE TERM
for program in tar gzip sha256sum timeout; do
    command -v "$program" >/dev/null || { echo "$program is not installed" >&2; exit 1; }
done
find "${TMPDIR:-/tmp}" -maxdepth 1 -type d -name 'verifier-scratch-*' -user "$(id -u)" -mmin +60 2>/dev/null |
    while read -r other; do tell left "$other"; done

found=$(find "$directory" -maxdepth 1 -type f -name "$pattern" -printf '%T@ %p\n') || exit 1
file=$(printf '%s\n' "$found" | sort -n | tail -n 1)
file=${file#* }
[ -n "$file" ] || { tell looked yes; exit 0; }
tell file "${file##*/}"
tell age "$(($(date +%s) - $(stat -c %Y -- "$file")))"
tell mode "$(stat -c %a -- "$file")"
counted=$(sha256sum <"$file") || exit 1
recorded=
[ ! -f "$file.sha256" ] || read -r recorded rest <"$file.sha256"
tell recorded "$recorded"
tell counted "${counted%% *}"
unpacked=$(gzip -cd -- "$file" 2>/dev/null | head -c "$((max_bytes + 1))" | wc -c)
tell unpacked "$unpacked"
[ "$unpacked" -le "$max_bytes" ] || { tell looked yes; exit 0; }
folder=$(mktemp -d "${TMPDIR:-/tmp}/verifier-scratch-XXXXXXXX") || exit 1
timeout -k 5 "$within" tar --extract --gzip --no-same-owner --file="$file" --directory="$folder" >/dev/null 2>&1
tell tar "$?"

is_inside() { case $(readlink -f -- "$1") in "$folder"/*) true ;; *) false ;; esac; }
for pair; do
    path=${pair%%"$(printf '\t')"*} source=${pair#*"$(printf '\t')"}
    copy="$folder/$path" saw=yes
    if [ ! -e "$copy" ] || ! is_inside "$copy"; then saw=missing
    elif [ -z "$source" ]; then
        [ -n "$(find "$copy" -type f -size +0c | head -n 1)" ] || saw=empty
    elif [ ! -f "$copy" ]; then saw='no file'
    elif [ ! -e "$source" ]; then saw='not there on the host'
    elif [ ! -r "$source" ]; then echo "$source cannot be read" >&2; exit 1
    elif ! cmp -s -- "$copy" "$source"; then saw=different
    fi
    tell path "$pair$(printf '\t')$saw"
done
tell looked yes
"""

_Path = Annotated[str, Field(pattern=r"^[^/\t\n][^\t\n]*$")]
_Source = Annotated[str, Field(pattern=r"^/[^\t\n]+$")]
_TIMED_OUT = 124


@dataclass(frozen=True, slots=True)
class Params:
    directory: Annotated[str, Field(min_length=1)]
    pattern: Annotated[str, Field(min_length=1)]
    holds: tuple[_Path, ...] = ()
    same: Mapping[_Path, _Source] = field(default_factory=dict)
    max_age_s: Annotated[int, Field(gt=0)] = 86400
    mode: str = "0600"
    within_s: Annotated[int, Field(ge=5, le=3600)] = 45
    max_mb: Annotated[int, Field(ge=1, le=65536)] = 512

    def __post_init__(self) -> None:
        if not self.holds and not self.same:
            raise ValueError("at least one path in holds or same: an empty archive holds nothing")
        for path in (*self.holds, *self.same):
            if re.search(r"(^|/)\.\.(/|$)", path):
                raise ValueError(f"'{path}' leads out of the archive")


@dataclass(frozen=True, slots=True)
class Path:
    """One path of the archive and, when it is compared, its source; `saw` is `yes` or what is wrong."""

    path: str
    source: str
    saw: str


@dataclass(frozen=True, slots=True)
class Seen:
    """`file` is "" when nothing matches; `unpacked` says whether tar had no complaint."""

    file: str = ""
    age_s: int = 0
    mode: str = ""
    recorded: str = ""
    counted: str = ""
    unpacked: bool = False
    paths: tuple[Path, ...] = ()
    left: tuple[str, ...] = ()


def observe(host: Host, want: Params) -> Seen:
    pairs = [f"{path}\t" for path in want.holds]
    pairs += [f"{path}\t{source}" for path, source in want.same.items()]
    given = (want.directory, want.pattern, str(want.max_mb * _MIB), str(want.within_s), *pairs)
    holes = " ".join(["%s"] * len(given))
    told = read_told(host.run(f"sh -c %s sh {holes}", _LOOK, *given))
    left = tuple(told.get("left", ()))
    if "file" not in told:
        return Seen(left=left)
    if "tar" not in told:
        raise CannotObserve(f"{told['file'][0]} unpacks to more than {want.max_mb} MiB (max_mb)")
    if int(told["tar"][0]) == _TIMED_OUT:
        raise CannotObserve(f"{told['file'][0]} did not unpack within {want.within_s} s")
    return Seen(
        told["file"][0],
        int(told["age"][0]),
        told["mode"][0].zfill(4),
        told["recorded"][0],
        told["counted"][0],
        unpacked=told["tar"] == ["0"],
        paths=tuple(Path(*line.split("\t")) for line in told.get("path", [])),
        left=left,
    )


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    found = [
        Mismatch("scratch of an earlier look", "removed", f"still there: rm -r {left}")
        for left in seen.left
    ]
    if not seen.file:
        wanted = f"a file {want.pattern}"
        return [*found, Mismatch(f"backups in {want.directory}", wanted, "none")]
    what = f"backup {seen.file}"
    if seen.age_s > want.max_age_s:
        found.append(Mismatch(what, f"younger than {want.max_age_s} s", f"{seen.age_s} s old"))
    if want.mode and seen.mode != want.mode:
        found.append(Mismatch(what, f"mode {want.mode}", seen.mode))
    if not seen.recorded:
        found.append(Mismatch(what, "a checksum beside it", "there is no .sha256 file"))
    elif seen.recorded != seen.counted:
        saw = f"{seen.counted[:12]}…: it was changed or cut"
        found.append(Mismatch(what, f"SHA-256 {seen.recorded[:12]}…", saw))
    if not seen.unpacked:
        return [
            *found,
            Mismatch(what, "unpacks without an error", "tar finds it damaged or cut short"),
        ]
    looked = {(one.path, one.source) for one in seen.paths}
    wanted_paths = {(p, "") for p in want.holds} | set(want.same.items())
    if looked != wanted_paths:
        found.append(Mismatch(what, "every path looked at", "not all of them were"))
    return found + [_wrong(what, one) for one in seen.paths if one.saw != "yes"]


def _wrong(what: str, one: Path) -> Mismatch:
    wanted = f"the same as {one.source}" if one.source else "there, and not empty"
    return Mismatch(f"{one.path} in {what}", wanted, one.saw)


def _impossible(want: Params) -> Params:
    return replace(want, holds=(*want.holds, "verifier-no-such-file"))


CHECK = Check(Params, observe, judge, impossible=_impossible)
