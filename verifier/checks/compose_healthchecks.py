"""Every long-running service has a health check that can fail.

    - id: compose-healthchecks
      check: compose_healthchecks
      with:
        stack: "{{ compose_stack }}"
        one_shot: [migrate]

Compose's own health check counts, else that of the service's image. Red when there is none, when it
is disabled, and when its command cannot fail: `true`, `exit 0`, `echo`, or anything followed by `||
true` or `; exit 0`. Services in `one_shot` end by themselves and need none. Red as well when one of
`required` is no long-running service of the stack.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, replace

from verifier.checks._compose import Stack, merged_config
from verifier.checks._image import healthcheck_test, image_name
from verifier.checks.base import Check, Host, Mismatch

# The whole command, or its last part after `||` or `;`, is one that always succeeds.
_SUCCEEDS = r"((/usr)?(/bin/)?true|:|exit( 0)?|(echo|printf|sleep)\b[^;&|]*)\s*['\"]?$"
_CANNOT_FAIL = re.compile(rf"(^((/bin/)?(ba)?sh -c )?['\"]?|(\|\||;))\s*{_SUCCEEDS}")


@dataclass(frozen=True)
class Params:
    stack: Stack
    one_shot: tuple[str, ...] = ()
    required: tuple[str, ...] = ()


@dataclass(frozen=True)
class Seen:
    """(service, the words of its health check, none when it has none)."""

    tests: tuple[tuple[str, tuple[str, ...]], ...]


def observe(host: Host, want: Params) -> Seen:
    services = merged_config(host, want.stack)["services"]
    return Seen(
        tuple(
            (name, healthcheck_test(host, image_name(want.stack.project, name, body), body))
            for name, body in services.items()
            if name not in want.one_shot
        )
    )


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    if not seen.tests:
        return [Mismatch("stack", "a long-running service", "only one-shot services")]
    there = {service for service, _ in seen.tests}
    found = [
        Mismatch(f"health check of '{service}'", "there", "no such long-running service")
        for service in want.required
        if service not in there
    ]
    for service, test in seen.tests:
        what = f"health check of '{service}'"
        if not test:
            found.append(Mismatch(what, "there", "none, or disabled"))
        elif _CANNOT_FAIL.search(_command(test)):
            found.append(Mismatch(what, "a command that can fail", _command(test)[:80]))
    return found


def _impossible(want: Params) -> Params:
    return replace(want, required=("verifier-no-such-thing",))


CHECK = Check(Params, observe, judge, impossible=_impossible)


def _command(test: tuple[str, ...]) -> str:
    if test[0] == "CMD-SHELL":
        return " ".join(test[1:]).strip()
    return shlex.join(test[1:] if test[0] == "CMD" else test)
