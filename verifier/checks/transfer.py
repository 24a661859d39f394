"""Files that are uploaded come back as they were sent, fast enough, and can be deleted.

    - id: uploads-come-back-whole
      check: transfer
      from: controller
      timeout_s: 120
      with:
        upload_url: "https://files.example/files"
        download_url: "https://files.example/files/{id}"
        delete_url: "https://files.example/files/{id}"
        list_url: "https://files.example/files"
        size_mb: 5
        files: 4
        min_upload_mb_per_s: 2
        min_download_mb_per_s: 5

`files` files of `size_mb` million random bytes each are sent at once (as form field `field` beside
the plain fields of `form`; with an empty `field` the bytes are the body), then asked for at once,
then deleted at once, and each is asked for again: 404 or 410 says that it is gone. In the URLs
`{id}` stands for what the answer to the upload holds at the dotted path `id_at`, `{name}` for the
file's name, which is new each time; with an empty `id_at` the name is enough. What was sent is
deleted after every failure, too; an upload that was never answered is looked for by its name in the
JSON list at `list_url`, and deleted.

Red: an upload that is refused, cut off or has no answer in `max_time_s`; a file that is lost, cut
short or whose SHA-256 is another one; a throughput below the minimum, which is that of all files
together, from the first connection to the last byte; a file that is still there after it was
deleted, or of which nobody can say whether it is. No verdict without python3 at the vantage, or
when a name cannot be resolved. It cannot see what lies between the service and its disk: a file
that comes back out of a cache is as good. Header values stand on a command line; those that are
secret stand in `headers_file` at the vantage, one `Name: value` a line. `timeout_s` must exceed
twice `max_time_s` and 30 seconds.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field

from verifier.checks._transfer_program import PROGRAM
from verifier.checks.base import Check, Host, Mismatch, ask
from verifier.errors import CannotObserve

_MB = 1_000_000
_MOST_MB = 256  # of all files together: they are held in memory
_CLEAN_S = 5
_OK = range(200, 300)
_REFUSED = range(400, 500)

Limit = Annotated[float, Field(gt=0)] | None


@dataclass(frozen=True)
class Params:
    upload_url: str
    download_url: str
    delete_url: str
    list_url: str = ""
    size_mb: Annotated[float, Field(gt=0, le=_MOST_MB)] = 1
    files: Annotated[int, Field(ge=1, le=32)] = 1
    min_upload_mb_per_s: Limit = None
    min_download_mb_per_s: Limit = None
    upload_method: str = "POST"
    delete_method: str = "DELETE"
    field: str = "file"
    form: Mapping[str, str] = dataclasses.field(default_factory=dict)
    id_at: str = "id"
    request_headers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    headers_file: str = ""
    max_time_s: Annotated[float, Field(gt=0, le=300)] = 10

    def __post_init__(self) -> None:
        for url in filter(
            None, (self.upload_url, self.download_url, self.delete_url, self.list_url)
        ):
            parts = urlsplit(url)
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise ValueError(f"'{url}' does not begin with http:// or https:// and a host")
        wanted = ("{id}", "{name}") if self.id_at else ("{name}",)
        if not all(
            any(one in url for one in wanted) for url in (self.download_url, self.delete_url)
        ):
            raise ValueError(f"download_url and delete_url need {' or '.join(wanted)}")
        if self.size_mb * self.files > _MOST_MB:
            raise ValueError(f"all files together are at most {_MOST_MB} MB")


@dataclass(frozen=True)
class Transfer:
    """What became of one file: statuses are 0 where nothing was answered. `stored` says that the
    service took it, `searched` that it was looked for in the list, `gone` that it was seen to be.
    """

    name: str
    id: str
    sent: bool
    stored: bool
    searched: bool
    upload_status: int
    upload_s: float
    upload_trouble: str
    download_status: int
    download_s: float
    download_trouble: str
    returned: int
    same: bool
    delete_status: int
    after_status: int
    gone: bool
    clean_trouble: str


@dataclass(frozen=True)
class Seen:
    """Each file, and the throughput of all together; 0 where not all of them got through."""

    transfers: tuple[Transfer, ...]
    upload_mb_per_s: float
    download_mb_per_s: float


def observe(host: Host, want: Params) -> Seen:
    asked = {one.name: getattr(want, one.name) for one in fields(want)} | {
        "bytes": round(want.size_mb * _MB),
        "form": dict(want.form),
        "headers": dict(want.request_headers),
        "clean_s": _CLEAN_S,
    }
    del asked["request_headers"]
    printed = ask(host, "python3 -c %s %s", PROGRAM, json.dumps(asked))
    try:
        told = json.loads(printed)
        transfers = tuple(Transfer(**one) for one in told["files"])
        times = float(told["upload_s"]), float(told["download_s"])
    except (KeyError, TypeError, ValueError) as error:
        raise CannotObserve("the program at the vantage printed something else") from error
    if told["vantage"]:
        raise CannotObserve(f"the vantage could not transfer: {told['vantage']}")
    if len(transfers) != want.files:
        raise CannotObserve(f"{len(transfers)} of {want.files} files were reported")
    total = want.size_mb * want.files
    up = all(one.stored for one in transfers)
    down = all(one.same for one in transfers)
    return Seen(transfers, _speed(total, times[0], up), _speed(total, times[1], down))


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    wrong = [*_counted(want, seen, _of_upload), *_counted(want, seen, _of_download)]
    # Where files did not get through, the time that it took says nothing.
    return (wrong or _too_slow(want, seen)) + _not_cleaned(want, seen)


def _impossible(want: Params) -> Params:
    return replace(want, min_upload_mb_per_s=1e9, min_download_mb_per_s=1e9)


CHECK = Check(Params, observe, judge, impossible=_impossible, burdens=True)


def _speed(megabytes: float, seconds: float, through: bool) -> float:  # noqa: FBT001  one word of a sum
    return round(megabytes / max(seconds, 0.0001), 3) if through else 0.0


def _counted(
    want: Params, seen: Seen, look: Callable[[Params, Transfer], Mismatch | None]
) -> list[Mismatch]:
    """One mismatch for all files that the same thing happened to; answers differ in their details."""
    alike: dict[str, list[Mismatch]] = {}
    for wrong in filter(None, (look(want, one) for one in seen.transfers)):
        alike.setdefault(wrong.saw.partition(":")[0], []).append(wrong)
    total = len(seen.transfers)
    return [
        Mismatch(f"{some[0].what} ({len(some)} of {total} files)", some[0].wanted, some[0].saw)
        for some in alike.values()
    ]


def _of_upload(want: Params, one: Transfer) -> Mismatch | None:
    if one.stored and not one.upload_trouble:
        return None
    what = f"upload of {want.size_mb:g} MB to {want.upload_url}"
    return Mismatch(what, "stored, with an id", one.upload_trouble or f"status {one.upload_status}")


def _of_download(want: Params, one: Transfer) -> Mismatch | None:
    if not one.stored or one.upload_trouble or one.same:
        return None
    what = f"download of what was stored from {want.download_url}"
    size = round(want.size_mb * _MB)
    if one.download_trouble or one.download_status not in _OK:
        saw = one.download_trouble or f"status {one.download_status}: it is lost"
        return Mismatch(what, f"{size} bytes", saw)
    saw = f"another one, of {one.returned} bytes" if one.returned != size else "another one"
    return Mismatch(what, f"{size} bytes with the SHA-256 that was sent", saw)


def _not_cleaned(want: Params, seen: Seen) -> list[Mismatch]:
    left = [one for one in seen.transfers if not _is_clean(one)]
    if not left:
        return []
    first = left[0]
    told = f"the deletion answered {first.delete_status or 'nothing'}, then a download "
    told += str(first.after_status or "nothing")
    saw = told if first.stored else "an upload without an answer may be stored"
    saw += f" ({first.clean_trouble})" if first.clean_trouble else ""
    names = ", ".join(one.name for one in left)
    what = f"clean-up with {want.delete_method} {want.delete_url}"
    return [Mismatch(what, "every file gone again", f"{saw}; look for {names} and delete")]


def _is_clean(one: Transfer) -> bool:
    if one.gone or not one.sent:
        return True
    # Refused, or looked for and not there: nothing was left.
    return not one.stored and (one.searched or one.upload_status in _REFUSED)


def _too_slow(want: Params, seen: Seen) -> list[Mismatch]:
    size = f"{len(seen.transfers)} x {want.size_mb:g} MB"
    sides: tuple[tuple[str, str, float | None, float], ...] = (
        ("upload to", want.upload_url, want.min_upload_mb_per_s, seen.upload_mb_per_s),
        ("download from", want.download_url, want.min_download_mb_per_s, seen.download_mb_per_s),
    )
    return [
        Mismatch(f"{side} {url}", f"at least {limit:g} MB/s", f"{saw:.4g} MB/s with {size}")
        for side, url, limit, saw in sides
        if limit is not None and saw < limit
    ]
