"""A TCP port is, or is not, open: as the host's own kernel says (`ss`), or as it answers from where
the look is made.

    - id: web-listens
      check: port
      with: {number: 443, address: 0.0.0.0}

`address` asks for the address it is bound to (a wildcard address satisfies any). With `open: false`
the port must be closed. With `connect: 192.0.2.7` a connection is tried instead of asking the
kernel: bound to the vantage `from: controller` this is what a stranger sees. A proxy that accepts
and hangs up at once with nothing behind it counts as closed, and the observation says so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from verifier.checks.base import Check, Host, Mismatch, ask
from verifier.errors import CannotObserve

_WILDCARDS = ("0.0.0.0", "*", "[::]", "::")  # noqa: S104  compared with, never bound


@dataclass(frozen=True)
class Params:
    number: int
    open: bool = True
    address: str = ""
    connect: str = ""


@dataclass(frozen=True)
class Seen:
    addresses: tuple[str, ...]
    answer: str


def observe(host: Host, want: Params) -> Seen:
    if want.connect:
        return Seen((), _try_to_connect(host, want.connect, want.number))
    listing = ask(host, "ss -Hltn")
    ends = re.findall(r"^\S+\s+\d+\s+\d+\s+(\S+):(\d+)\s", listing, re.MULTILINE)
    if listing.strip() and not ends:
        raise CannotObserve("the listing of `ss -Hltn` is not understood")
    return Seen(tuple(sorted({at for at, port in ends if int(port) == want.number})), "")


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    is_open = seen.answer == "open" or bool(seen.addresses)
    saw = seen.answer or (
        f"bound to {', '.join(seen.addresses)}" if seen.addresses else "nothing listens"
    )
    if is_open != want.open:
        return [Mismatch(f"port {want.number}", "open" if want.open else "closed", saw)]
    if want.address and not any(a in (want.address, *_WILDCARDS) for a in seen.addresses):
        return [Mismatch(f"port {want.number}", f"bound to {want.address}", saw)]
    return []


CHECK = Check(Params, observe, judge)


_PROBE = """
import socket, sys
try:
    s = socket.create_connection((sys.argv[1], int(sys.argv[2])), 5)
except ConnectionRefusedError:
    print("refused")
except (TimeoutError, socket.timeout):
    print("filtered")
except OSError as error:
    print("error", error)
else:
    s.settimeout(1)
    try:
        print("open" if s.recv(1) else "accepted and hung up")
    except (TimeoutError, socket.timeout):
        print("open")
    except OSError:
        print("accepted and hung up")
"""


def _try_to_connect(host: Host, address: str, number: int) -> str:
    answer = ask(host, "python3 -c %s %s %s", _PROBE, address, str(number)).strip()
    if answer.startswith("error") or not answer:
        raise CannotObserve(f"connecting to {address}:{number}: {answer}")
    return answer
