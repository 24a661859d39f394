"""What the web server gives out is, byte for byte, what the release holds.

    - id: build-is-served
      check: served_artifact
      with: {url: "http://127.0.0.1:3000/", directory: "{{ release_dir }}/web"}

Every file below `directory` is asked for under the same path below `url` and compared by SHA-256;
`index.html` is also asked for as its folder. `skip` are shell patterns of files that are not served
on purpose. With `manifest`, a file of `sha256sum` lines that the build left behind, the files must
also be the ones that were built: none changed, none missing, and the directory holds no other. Runs
on the host; an empty directory is an error, not a pass.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from urllib.parse import quote, urljoin

from verifier.checks._http import MAX_TIME_S, Request, curl_words, no_answer
from verifier.checks.base import Check, Host, Mismatch, ask
from verifier.errors import CannotObserve

_SUM = re.compile(r"^([0-9a-f]{64}) [ *](?:\./)?(.+)$", re.MULTILINE)
_MOST_FILES = 500


@dataclass(frozen=True)
class Params:
    url: str
    directory: str
    skip: tuple[str, ...] = ("*.map", ".*")
    manifest: str = ""
    max_time_s: float = MAX_TIME_S

    def __post_init__(self) -> None:
        if not self.url.endswith("/"):
            raise ValueError("url ends with a slash: the files' paths are put behind it")


@dataclass(frozen=True)
class Served:
    """One file: its digest in the release, and the status and digest of what was served for it."""

    path: str
    sha256: str
    status: int
    served_sha256: str
    trouble: str = ""


@dataclass(frozen=True)
class Seen:
    files: tuple[Served, ...]
    built: tuple[tuple[str, str], ...]


def observe(host: Host, want: Params) -> Seen:
    listing = ask(host, "cd %s && find . -type f -exec sha256sum {} +", want.directory)
    files = {path: digest for digest, path in _SUM.findall(listing)}
    if not files:
        raise CannotObserve(f"no file in {want.directory}")
    if len(files) > _MOST_FILES:
        raise CannotObserve(f"{len(files)} files in {want.directory}, more than {_MOST_FILES}")
    chosen = {p: d for p, d in sorted(files.items()) if not _is_skipped(want, p)}
    served = tuple(_served(host, want, path, digest) for path, digest in chosen.items())
    built = _SUM.findall(ask(host, "cat %s", want.manifest)) if want.manifest else []
    return Seen(served, tuple((path, digest) for digest, path in built))


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    wrong = [m for file in seen.files for m in _judge_file(want, file)]
    if not seen.files:
        wrong.append(Mismatch(want.directory, "files to serve", "all are skipped"))
    return [*wrong, *_judge_manifest(want, seen)] if want.manifest else wrong


def _impossible(want: Params) -> Params:
    return replace(want, url=urljoin(want.url, "verifier-no-such-path/"))


CHECK = Check(Params, observe, judge, impossible=_impossible)

# The answer goes to a file, because a pipe would lose curl's own exit status.
_FETCH = """
t=$(mktemp) || exit 99
trap 'rm -f "$t"' EXIT
curl "$@" -o "$t" -w '%{http_code} ' || exit
sha256sum <"$t"
"""


def _is_skipped(want: Params, path: str) -> bool:
    return any(fnmatch(path, pattern) for pattern in want.skip)


def _served(host: Host, want: Params, path: str, digest: str) -> Served:
    place = re.sub(r"(^|/)index\.html$", r"\1", path)
    words = curl_words(Request("", max_time_s=want.max_time_s))
    words = [*words, urljoin(want.url, quote(place))]
    done = host.run("sh -c %s sh" + " %s" * len(words), _FETCH, *words)
    if done.rc:
        return Served(path, digest, 0, "", no_answer(done.rc, done.stderr))
    found = re.match(r"(\d{3}) ([0-9a-f]{64})", done.stdout)
    if not found:
        raise CannotObserve(f"what came for {path} is not understood: {done.stdout[:80]}")
    return Served(path, digest, int(found[1]), found[2])


def _judge_file(want: Params, file: Served) -> list[Mismatch]:
    what = f"{file.path} below {want.url}"
    if file.trouble or file.status != 200:  # noqa: PLR2004
        return [Mismatch(what, "status 200", file.trouble or str(file.status))]
    if file.served_sha256 != file.sha256:
        wanted = f"sha256 {file.sha256[:12]} as in the release"
        return [Mismatch(what, wanted, f"sha256 {file.served_sha256[:12]}")]
    return []


def _judge_manifest(want: Params, seen: Seen) -> list[Mismatch]:
    built = dict(seen.built)
    if not built:
        return [Mismatch(want.manifest, "lines of sha256sum", "none")]
    there = {file.path: file.sha256 for file in seen.files}
    wrong = [
        Mismatch(path, f"sha256 {digest[:12]} as built", there.get(path, "missing")[:12])
        for path, digest in built.items()
        if there.get(path) != digest and not _is_skipped(want, path)
    ]
    extra = sorted(set(there) - set(built))
    return [*wrong, *(Mismatch(path, "a file of the build", "not in its list") for path in extra)]
