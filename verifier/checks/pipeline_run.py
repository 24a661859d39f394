"""The last run of the pipeline succeeded, for what is deployed, and not long ago.

    - id: pipeline-succeeded
      check: pipeline_run
      with:
        url: http://forge.internal/api/v1/repos/o4o/o4o/actions/runs?limit=20
        branch: main
        revision_file: /srv/o4o/current/release.json
        revision_key: revision
        max_age_days: 30

The runs are read from a JSON document, at `url` or in `file`: as GitHub, Gitea or Forgejo
(`workflow_runs`) and GitLab (a list of pipelines) answer, or one run as an object of one's own with
`status`, `revision` and `finished_at`. `branch` and `workflow` leave out the runs of others. What is
deployed is `revision`, or what stands in `revision_file` (below `revision_key` when that is JSON); of
its runs the last one counts, and a short revision of seven digits or more fits the long one.

Red: no record and no run, none of this revision (it says which the last one was for), one that failed,
was cancelled or is still going on, a job or step in it that failed, one older than `max_age_days` or
from the future. No verdict: no answer or another status than 200, something that is no JSON or tells
no status, revision or time, and a release that does not say its revision.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Annotated, cast

from pydantic import Field

from verifier.checks._http import MAX_TIME_S, Request, excerpt, fetch
from verifier.checks.base import Check, Host, Mismatch, ask
from verifier.errors import CannotObserve

_DAY_S = 86_400
_SHORTEST = 7  # digits that git itself takes for enough
_MAX_BYTES = 2_000_000
_GOOD = ("success", "succeeded", "passed")
_NEUTRAL = ("skipped", "neutral")

_REVISIONS = ("head_sha", "sha", "revision", "commit_sha", "commit")
_BRANCHES = ("head_branch", "ref", "branch")
_TIMES = ("finished_at", "completed_at", "updated_at", "updated", "stopped", "created_at")
_NAMES = ("name", "workflow", "workflow_id", "pipeline", "display_title")


@dataclass(frozen=True, slots=True)
class Params:
    url: str = ""
    file: str = ""
    revision: str = ""
    revision_file: str = ""
    revision_key: str = ""
    branch: str = ""
    workflow: str = ""
    max_age_days: Annotated[float, Field(gt=0)] = 30
    max_time_s: float = MAX_TIME_S

    def __post_init__(self) -> None:
        if bool(self.url) == bool(self.file):
            raise ValueError("give either url or file")
        if bool(self.revision) == bool(self.revision_file):
            raise ValueError("give either revision or revision_file: what is deployed")


@dataclass(frozen=True, slots=True)
class Run:
    """One run as it was told; `failed` are its jobs or steps that did not succeed."""

    status: str
    revision: str
    age_days: float
    name: str = ""
    failed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Seen:
    """The runs that count, the last one first, and the revision that is deployed."""

    there: bool
    deployed: str
    runs: tuple[Run, ...] = ()


def observe(host: Host, want: Params) -> Seen:
    deployed = want.revision or _deployed(host, want)
    text = _text(host, want)
    if text is None:
        return Seen(there=False, deployed=deployed)
    now = float(ask(host, "date +%s"))
    listed = list(_runs_in(text, want))
    return Seen(True, deployed, tuple(sorted((_run(r, now) for r in listed), key=_by_age)))


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    what = f"pipeline run in {want.url or want.file}"
    if not seen.there:
        return [Mismatch(what, "a record", "no such file")]
    if not seen.runs:
        return [Mismatch(what, "a run", f"none{_of_which(want)}")]
    fitting = [run for run in seen.runs if _same(run.revision, seen.deployed)]
    if not fitting:
        saw = f"the last one was for {seen.runs[0].revision[:12]} ({seen.runs[0].status})"
        return [Mismatch(what, f"one for the deployed revision {seen.deployed[:12]}", saw)]
    last = fitting[0]
    found = []
    if last.status not in _GOOD:
        found.append(Mismatch(what, "success", last.status))
    found += [Mismatch(what, "each step succeeds", name) for name in last.failed]
    if last.age_days > want.max_age_days:
        wanted = f"at most {want.max_age_days:g} days ago"
        found.append(Mismatch(what, wanted, f"{last.age_days:.1f} days ago"))
    if last.age_days < -1:
        found.append(Mismatch(what, "a time that has been", f"{-last.age_days:.1f} days to come"))
    return found


def _impossible(want: Params) -> Params:
    return replace(want, revision="verifier-no-such-revision", revision_file="")


CHECK = Check(Params, observe, judge, impossible=_impossible)


def _by_age(run: Run) -> float:
    return run.age_days


def _of_which(want: Params) -> str:
    parts = [f" of {name} {value}" for name, value in _wanted(want) if value]
    return "".join(parts)


def _wanted(want: Params) -> tuple[tuple[str, str], ...]:
    return (("branch", want.branch), ("workflow", want.workflow))


def _same(one: str, other: str) -> bool:
    short, long = sorted((one.lower(), other.lower()), key=len)
    return short == long or (len(short) >= _SHORTEST and long.startswith(short))


def _deployed(host: Host, want: Params) -> str:
    text = ask(host, "cat %s", want.revision_file)
    found: object = text.strip()
    if want.revision_key:
        try:
            found = json.loads(text)[want.revision_key]
        except (ValueError, KeyError, TypeError) as error:
            raise CannotObserve(
                f"{want.revision_file} does not say its '{want.revision_key}'"
            ) from error
    if not isinstance(found, str) or not found:
        raise CannotObserve(f"{want.revision_file} does not say which revision is deployed")
    return found


def _text(host: Host, want: Params) -> str | None:
    """The document; None when the file is not there."""
    if want.url:
        answer = fetch(host, Request(want.url, max_time_s=want.max_time_s))
        if answer.trouble or answer.status != 200:  # noqa: PLR2004  HTTP's own number
            raise CannotObserve(f"{want.url} answers {excerpt(answer.said, 120)}")
        return answer.body
    read = host.run("LC_ALL=C head -c %s %s", str(_MAX_BYTES), want.file)
    if read.rc != 0 and "No such file" in read.stderr:
        return None
    if read.rc != 0:
        raise CannotObserve(f"{want.file}: {read.stderr.strip()[:200]}")
    return read.stdout


def _runs_in(text: str, want: Params) -> Iterator[dict[str, object]]:
    try:
        whole = json.loads(text)
    except ValueError as error:
        raise CannotObserve(f"{want.url or want.file} is no JSON") from error
    if isinstance(whole, dict) and isinstance(whole.get("workflow_runs"), list):
        whole = whole["workflow_runs"]
    for run in whole if isinstance(whole, list) else [whole]:
        if not isinstance(run, dict):
            raise CannotObserve(f"{want.url or want.file} is no list of runs")
        if want.branch and _first(run, _BRANCHES).removeprefix("refs/heads/") != want.branch:
            continue
        if want.workflow and not any(str(run.get(name, "")) == want.workflow for name in _NAMES):
            continue
        yield run


def _run(raw: dict[str, object], now: float) -> Run:
    # GitHub says "completed", and how it ended elsewhere.
    status = str(raw.get("conclusion") or raw.get("status") or "").lower()
    revision, at = _first(raw, _REVISIONS), _first(raw, _TIMES)
    if not status or not revision or not at:
        missing = [
            n for n, v in (("status", status), ("revision", revision), ("time", at)) if not v
        ]
        raise CannotObserve(f"a run tells no {' and no '.join(missing)}")
    try:
        read = datetime.fromisoformat(at)
    except ValueError as error:
        raise CannotObserve(f"'{at}' is no time") from error
    finished = (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()
    return Run(status, revision, (now - finished) / _DAY_S, _first(raw, _NAMES), _failed(raw))


def _first(raw: dict[str, object], names: tuple[str, ...]) -> str:
    return next((value for n in names if isinstance(value := raw.get(n), str) and value), "")


def _failed(raw: dict[str, object]) -> tuple[str, ...]:
    steps = raw.get("steps") or raw.get("jobs") or []
    found = []
    for step in cast("list[object]", steps) if isinstance(steps, list) else []:
        if isinstance(step, dict):
            status = str(step.get("conclusion") or step.get("status") or "").lower()
            if status not in (*_GOOD, *_NEUTRAL):
                found.append(f"{step.get('name', 'a step')}: {status or 'no status'}")
    return tuple(found)
