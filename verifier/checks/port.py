"""A TCP port is, or is not, open: as the host's own kernel says (`ss`), or as it answers from where
the look is made.

    - id: web-listens
      check: port
      with: {number: 443, address: 0.0.0.0}
    - id: nothing-else-is-open
      check: port
      from: controller
      with: {numbers: [3306, 6379], open: false, connect: 192.0.2.7}

Give one `number`, or several `numbers` that must all be as wanted. `address` asks for the address
it is bound to (a wildcard address satisfies any). With `open: false` the port must be closed. With
`connect: 192.0.2.7` a connection is tried instead of asking the kernel: bound to the vantage `from:
controller` this is what a stranger sees. A proxy that accepts and hangs up at once with nothing
behind it counts as closed, and the observation says so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from verifier.checks.base import Check, Host, Mismatch, ask
from verifier.errors import CannotObserve

_WILDCARDS = ("0.0.0.0", "*", "[::]", "::")  # noqa: S104  compared with, never bound
_HIGHEST = 65535
_NOBODYS = 1  # tcpmux: reserved, and long served by nobody
_MOST_NUMBERS = 100  # all are tried at once, and within the time of one look


@dataclass(frozen=True, slots=True)
class Params:
    number: int | None = None
    open: bool = True
    address: str = ""
    connect: str = ""
    numbers: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if (self.number is None) == (not self.numbers):
            raise ValueError("give either number or numbers")
        if not all(1 <= number <= _HIGHEST for number in self.all_numbers):
            raise ValueError(f"a port is a number from 1 to {_HIGHEST}")
        if not len(set(self.numbers)) == len(self.numbers) <= _MOST_NUMBERS:
            raise ValueError(f"numbers are {_MOST_NUMBERS} or fewer, each of them once")

    @property
    def all_numbers(self) -> tuple[int, ...]:
        return self.numbers if self.number is None else (self.number,)


@dataclass(frozen=True, slots=True)
class Port:
    """One port: what the kernel has it bound to, or how it answered a connection."""

    number: int
    addresses: tuple[str, ...]
    answer: str


@dataclass(frozen=True, slots=True)
class Seen:
    ports: tuple[Port, ...]


def observe(host: Host, want: Params) -> Seen:
    if want.connect:
        answers = _try_to_connect(host, want.connect, want.all_numbers)
        return Seen(tuple(Port(number, (), said) for number, said in answers))
    listing = ask(host, "ss -Hltn")
    ends = re.findall(r"^\S+\s+\d+\s+\d+\s+(\S+):(\d+)\s", listing, re.MULTILINE)
    if listing.strip() and not ends:
        raise CannotObserve("the listing of `ss -Hltn` is not understood")
    return Seen(tuple(Port(number, _bound(ends, number), "") for number in want.all_numbers))


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    return [mismatch for port in seen.ports for mismatch in _judge_one(want, port)]


def _impossible(want: Params) -> Params:
    return replace(want, number=_NOBODYS, numbers=(), open=True)


CHECK = Check(Params, observe, judge, impossible=_impossible)


def _bound(ends: list[tuple[str, str]], number: int) -> tuple[str, ...]:
    return tuple(sorted({at for at, port in ends if int(port) == number}))


_PROBE = """
import socket, sys
from concurrent.futures import ThreadPoolExecutor

def probe(number):
    try:
        s = socket.create_connection((sys.argv[1], int(number)), 5)
    except ConnectionRefusedError:
        return "refused"
    except (TimeoutError, socket.timeout):
        return "filtered"
    except OSError as error:
        return "error %s" % error
    with s:
        s.settimeout(1)
        try:
            return "open" if s.recv(1) else "accepted and hung up"
        except (TimeoutError, socket.timeout):
            return "open"
        except OSError:
            return "accepted and hung up"

with ThreadPoolExecutor(25) as pool:
    for answer in pool.map(probe, sys.argv[2:]):
        print(answer)
"""


def _try_to_connect(host: Host, address: str, numbers: tuple[int, ...]) -> list[tuple[int, str]]:
    words = (_PROBE, address, *map(str, numbers))
    answers = ask(host, "python3 -c" + " %s" * len(words), *words).splitlines()
    if len(answers) != len(numbers):
        raise CannotObserve(f"{len(answers)} of {len(numbers)} ports were reported")
    for number, answer in zip(numbers, answers, strict=True):
        if answer.startswith("error") or not answer:
            raise CannotObserve(f"connecting to {address}:{number}: {answer}")
    return list(zip(numbers, answers, strict=True))


def _judge_one(want: Params, port: Port) -> list[Mismatch]:
    is_open = port.answer == "open" or bool(port.addresses)
    saw = port.answer or (
        f"bound to {', '.join(port.addresses)}" if port.addresses else "nothing listens"
    )
    if is_open != want.open:
        return [Mismatch(f"port {port.number}", "open" if want.open else "closed", saw)]
    if want.address and not any(a in (want.address, *_WILDCARDS) for a in port.addresses):
        return [Mismatch(f"port {port.number}", f"bound to {want.address}", saw)]
    return []
