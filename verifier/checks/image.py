"""A container image is on the host, and is the one that is wanted.

    - id: app-image-is-there
      check: image
      with:
        name: registry.example/app:1.4.2
        id: sha256:0b49969fc4f4
        max_age_s: 2592000
        max_size_mb: 300
        user_not_root: true
        labels: {org.opencontainers.image.version: 1.4.2}

`name` is a name with a tag or a digest (`app@sha256:...`); without either the engine takes `latest`.
`id` is the image's id or the beginning of it, twelve digits or more: a tag can be moved, an id
cannot. `max_age_s` is counted from the time the image says it was built; an image that tells none,
as reproducible builds do (the year 1 or 1970), is red, and so is one from the future. `max_size_mb`
is the size of all its layers in millions of bytes. `user_not_root` asks whether the user that its
programs run as is another than root by name or number (`false`: is root); a name is taken as it is
written. `labels` must have exactly these values. That a container runs it is what
`container_release` asks. A missing image is red; an engine that does not answer is no answer.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated

from pydantic import Field

from verifier.checks.base import Check, Host, Mismatch, ask
from verifier.errors import CannotObserve

_MEGABYTE = 1_000_000
_CLOCKS_DIFFER_S = 120  # it may have been built on a machine whose clock is a little ahead
_NO_TIME_BEFORE = dt.datetime(1980, 1, 2, tzinfo=dt.UTC)  # what builds write that hide their time
_ROOT = ("", "0", "root")


@dataclass(frozen=True, slots=True)
class Params:
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/:@-]*$")]
    id: Annotated[str, Field(pattern=r"^((sha256:)?[0-9a-f]{12,64})?$")] = ""
    max_age_s: Annotated[int, Field(gt=0)] | None = None
    max_size_mb: Annotated[float, Field(gt=0)] | None = None
    user_not_root: bool | None = None
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Seen:
    """`id` is "" when there is no such image; `age_s` is None when it does not tell its time. Of
    the labels only those that were asked for are kept.
    """

    id: str
    age_s: int | None = None
    size_bytes: int = 0
    user: str = ""
    labels: tuple[tuple[str, str], ...] = ()


def observe(host: Host, want: Params) -> Seen:
    answer = host.run("docker image inspect %s", want.name)
    if answer.rc != 0:
        if re.search(r"no such image", answer.stderr, re.IGNORECASE):
            return Seen("")
        said = (answer.stderr.strip() or answer.stdout.strip() or "no output").splitlines()[-1]
        raise CannotObserve(f"image {want.name}: {said[:300]}")
    try:
        image = json.loads(answer.stdout)[0]
        labels = (image.get("Config") or {}).get("Labels") or {}
        return Seen(
            str(image["Id"]),
            _age_s(host, str(image["Created"])) if want.max_age_s else None,
            int(image["Size"]),
            str((image.get("Config") or {}).get("User") or ""),
            tuple((name, str(labels[name])) for name in want.labels if name in labels),
        )
    except (IndexError, KeyError, TypeError, ValueError) as error:
        raise CannotObserve(f"the engine's answer about {want.name} is not understood") from error


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    what = f"image {want.name}"
    if not seen.id:
        return [Mismatch(what, "on the host", "the engine has no such image")]
    found = []
    wanted = want.id.removeprefix("sha256:")
    if not seen.id.removeprefix("sha256:").startswith(wanted):
        found.append(Mismatch(what, f"the id {wanted[:12]}", _short(seen.id)))
    if want.max_age_s:
        found += _judge_age(what, want.max_age_s, seen.age_s)
    size = seen.size_bytes / _MEGABYTE
    if want.max_size_mb and size > want.max_size_mb:
        found.append(Mismatch(what, f"at most {want.max_size_mb:g} MB", f"{size:.1f} MB"))
    is_root = seen.user.partition(":")[0] in _ROOT
    if want.user_not_root and is_root:
        saw = f"'{seen.user}'" if seen.user else "none is set, so root"
        found.append(Mismatch(f"user of {what}", "another than root", saw))
    if want.user_not_root is False and not is_root:
        found.append(Mismatch(f"user of {what}", "root", f"'{seen.user}'"))
    return found + _judge_labels(what, want.labels, dict(seen.labels))


def _impossible(want: Params) -> Params:
    return replace(want, id="0" * 64)


CHECK = Check(Params, observe, judge, impossible=_impossible)


def _age_s(host: Host, created: str) -> int | None:
    # The engine writes nine digits of a second; the library reads six.
    written = dt.datetime.fromisoformat(re.sub(r"\.\d+", "", created))
    if written < _NO_TIME_BEFORE:
        return None
    return int(ask(host, "date +%s")) - int(written.timestamp())


def _judge_age(what: str, most: int, age: int | None) -> list[Mismatch]:
    wanted = f"at most {most} s old"
    if age is None:
        return [Mismatch(what, wanted, "it does not tell when it was built")]
    if age < -_CLOCKS_DIFFER_S:
        return [Mismatch(what, wanted, f"built {-age} s in the future")]
    return [Mismatch(what, wanted, f"{age} s old")] if age > most else []


def _judge_labels(
    what: str, wanted: Mapping[str, str], labels: Mapping[str, str]
) -> list[Mismatch]:
    return [
        Mismatch(f"label {name} of {what}", f"'{value}'", f"'{labels[name][:200]}'")
        if name in labels
        else Mismatch(f"label {name} of {what}", f"'{value}'", "no such label")
        for name, value in wanted.items()
        if labels.get(name) != value
    ]


def _short(image: str) -> str:
    return image.removeprefix("sha256:")[:12]
