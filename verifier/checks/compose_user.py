"""Every service runs as a user other than root: as compose says, else as its image says.

    - id: compose-user
      check: compose_user
      with:
        stack: "{{ compose_stack }}"

Red for uid 0, `root` and for no user at all (which is root). With `allowed`, red for every user who
is not among these as well, written as compose or the image writes it (`10001:10001`, `app`). An
image that is not on the host yet cannot be asked; one whose service names a user need not be.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from verifier.checks._compose import Stack, merged_config
from verifier.checks._image import image_config, image_name
from verifier.checks.base import Check, Host, Mismatch


@dataclass(frozen=True)
class Params:
    stack: Stack
    allowed: tuple[str, ...] = ()


@dataclass(frozen=True)
class User:
    """The user of a service; `said_by` is 'compose' or the image's name."""

    service: str
    user: str
    said_by: str


@dataclass(frozen=True)
class Seen:
    users: tuple[User, ...]


def observe(host: Host, want: Params) -> Seen:
    users = []
    for name, body in merged_config(host, want.stack)["services"].items():
        own = body.get("user")
        if own not in (None, ""):
            users.append(User(name, str(own), "compose"))
        else:
            image = image_name(want.stack.project, name, body)
            users.append(User(name, str(image_config(host, image).get("User") or ""), image))
    return Seen(tuple(users))


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    wanted = f"not root, and one of {', '.join(want.allowed)}" if want.allowed else "not root"
    return [
        Mismatch(
            f"user of service '{user.service}'",
            wanted,
            f"'{user.user}' (said by {user.said_by})" if user.user else f"none in {user.said_by}",
        )
        for user in seen.users
        if _is_root(user.user) or (want.allowed and user.user not in want.allowed)
    ]


def _impossible(want: Params) -> Params:
    return replace(want, allowed=("verifier-no-such-thing",))


CHECK = Check(Params, observe, judge, impossible=_impossible)


def _is_root(user: str) -> bool:
    name = user.partition(":")[0].strip()
    return name in ("", "root") or (name.isdigit() and int(name) == 0)
