"""The previous release can really be started: its files, its env file and its images are still
there.

    - id: previous-release-startable
      check: rollback_ready
      with:
        root: "{{ release_root }}"
        app: "{{ release_app }}"
        release: "{{ release_id }}"
        files: "{{ release_files + [release_env_file] }}"
        stack: "{{ compose_stack }}"

The previous release is the last one in `history.jsonl` that is not `release` and that no rollback
has turned away from; `previous:` names another. Each of `files` must be there and not empty. With a
`stack` compose must accept the previous release's files, and each of its services must have its
image: pinned in `images.json`, present in the engine, and held by the tag
`verifier-rollback/<app>-<service>:<release>` against pruning. `first_ok: true` accepts a host on
which no other release was ever current; without it that is red, for there is no way back.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

from verifier.checks._compose import Stack, image_id, merged_config
from verifier.checks.base import Check, Host, Mismatch, ask
from verifier.errors import CannotObserve
from verifier.history import read_entry, way_here


@dataclass(frozen=True)
class Params:
    root: str
    app: str
    release: str
    files: tuple[str, ...]
    stack: Stack | None = None
    previous: str = ""
    first_ok: bool = False


@dataclass(frozen=True)
class Pin:
    """`recorded` is the id in images.json, `held` what the rollback tag points at; "" where there
    is none.
    """

    service: str
    recorded: str
    present: bool
    held: str


@dataclass(frozen=True)
class Seen:
    """`history` is the way to the current release, oldest first; `complaint` is compose's."""

    history: tuple[str, ...]
    previous: str
    absent: tuple[str, ...] = ()
    complaint: str = ""
    pins: tuple[Pin, ...] = ()


def observe(host: Host, want: Params) -> Seen:
    history = _history(host, f"{want.root}/history.jsonl")
    others = [release for release in history if release != want.release]
    previous = want.previous or (others[-1] if others else "")
    if not previous:
        return Seen(history, "")
    directory = f"{want.root}/releases/{previous}"
    absent = tuple(file for file in want.files if _is_absent(host, f"{directory}/{file}"))
    if want.stack is None or absent:
        return Seen(history, previous, absent)
    try:
        config = merged_config(host, replace(want.stack, directory=directory))
    except CannotObserve as error:
        return Seen(history, previous, absent, str(error))
    return Seen(history, previous, absent, "", _pins(host, want, directory, previous, config))


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    if not want.files:
        return [Mismatch("files", "at least one to look for", "none")]
    if not seen.previous:
        saw = f"only {', '.join(seen.history)}" if seen.history else "no release at all"
        is_first = want.first_ok and seen.history == (want.release,)
        return [] if is_first else [Mismatch("a previous release", "one to go back to", saw)]
    what = f"release {seen.previous}"
    found = [Mismatch(what, f"its file {file}", "missing or empty") for file in seen.absent]
    if seen.complaint:
        found.append(Mismatch(what, "files that compose accepts", seen.complaint))
    return found + [wrong for pin in seen.pins for wrong in _wrong(what, pin)]


def _impossible(want: Params) -> Params:
    return replace(want, files=(*want.files, "verifier-no-such-file"), first_ok=False)


CHECK = Check(Params, observe, judge, impossible=_impossible)


def _history(host: Host, path: str) -> tuple[str, ...]:
    lines = [line for line in ask(host, "cat %s", path).splitlines() if line.strip()]
    entries = [entry for line in lines if (entry := read_entry(line)) is not None]
    if len(entries) != len(lines):
        raise CannotObserve(f"'{path}' is not understood")
    return way_here(entries)


def _is_absent(host: Host, path: str) -> bool:
    return host.run("test -s %s", path).rc != 0


def _pins(
    host: Host, want: Params, directory: str, previous: str, config: dict[str, object]
) -> tuple[Pin, ...]:
    answer = host.run("cat %s", f"{directory}/images.json")
    try:
        recorded = dict(json.loads(answer.stdout)) if answer.rc == 0 else {}
    except (json.JSONDecodeError, ValueError) as error:
        raise CannotObserve(f"'{directory}/images.json' is not understood") from error
    return tuple(
        _pin(host, f"verifier-rollback/{want.app}-{name}:{previous}".lower(), name, recorded)
        for name in sorted(dict(config["services"]))  # type: ignore[call-overload]  # compose's
    )


def _pin(host: Host, tag: str, service: str, recorded: dict[str, str]) -> Pin:
    image = str(recorded.get(service, ""))
    return Pin(service, image, bool(image) and bool(image_id(host, image)), image_id(host, tag))


def _wrong(what: str, pin: Pin) -> list[Mismatch]:
    if not pin.recorded:
        return [Mismatch(what, f"a pinned image of {pin.service}", "images.json names none")]
    short = pin.recorded.removeprefix("sha256:")[:12]
    if not pin.present:
        return [Mismatch(what, f"image {short} of {pin.service}", "gone from the engine")]
    if pin.held != pin.recorded:
        saw = "points at another image" if pin.held else "does not exist"
        return [Mismatch(what, f"a rollback tag that holds {short} of {pin.service}", saw)]
    return []
