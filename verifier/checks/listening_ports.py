"""Nothing listens on the host that is not on its list.

    - id: only-known-ports
      check: listening_ports
      become: true
      with:
        allow: [{number: 22}, {number: 8000, process: docker-proxy}]

Every TCP and UDP socket that the kernel holds open for strangers (`ss`) must be on the list:
`number`, and where given `protocol` (tcp or udp, tcp by default), `address` and `process`. Sockets
bound to a loopback address cannot be reached from outside and are left out unless `loopback: true`.
The processes' names need root; without it a reason names the port alone, and an entry with
`process` cannot be judged. With `ports_of_docker` the ports that the engine publishes by packet
filter alone (userland-proxy off: no socket exists) are counted too, as process `docker`. That the
ports on the list are open is the business of the check `port`.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from verifier.checks.base import Check, Host, Mismatch, ask
from verifier.errors import CannotObserve

_LINE = re.compile(r"^(tcp|udp)\s+(?:LISTEN|UNCONN)\s+\d+\s+\d+\s+(\S+):(\d+)\s+\S+(.*)$")
_USER = re.compile(r'\("([^"]+)",pid=\d+')
_PUBLISHED = re.compile(r"(?:^|, )(\S+):(\d+)(?:-(\d+))?->\S+?/(tcp|udp)")


@dataclass(frozen=True)
class Allowed:
    number: int
    protocol: str = "tcp"
    address: str = ""
    process: str = ""


@dataclass(frozen=True)
class Params:
    allow: tuple[Allowed, ...]
    loopback: bool = False
    ports_of_docker: bool = True


@dataclass(frozen=True)
class Socket:
    protocol: str
    address: str
    number: int
    process: str

    def __str__(self) -> str:
        held = f" held by {self.process}" if self.process else ""
        return f"{self.protocol} {self.address}:{self.number}{held}"


@dataclass(frozen=True)
class Seen:
    sockets: tuple[Socket, ...]


def observe(host: Host, want: Params) -> Seen:
    listing = ask(host, "ss -Hltunp")
    sockets = [_socket(line) for line in listing.splitlines() if line.strip()]
    # A host that is reached over the network listens on something: an empty list is no look.
    if not sockets:
        raise CannotObserve("`ss -Hltunp` shows no socket at all")
    if want.ports_of_docker and host.run("command -v docker").rc == 0:
        known = {(s.protocol, s.number) for s in sockets}
        sockets += [s for s in _published(host) if (s.protocol, s.number) not in known]
    return Seen(tuple(sorted(set(sockets), key=lambda s: (s.number, s.protocol, s.address))))


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    return [
        Mismatch(f"{socket.protocol} port {socket.number}", "not open, or on the list", str(socket))
        for socket in seen.sockets
        if (want.loopback or not _is_loopback(socket.address))
        and not any(_covers(entry, socket) for entry in want.allow)
    ]


def _impossible(want: Params) -> Params:
    # A host on which nothing listens at all is no look.
    return replace(want, allow=(), loopback=True)


CHECK = Check(Params, observe, judge, impossible=_impossible)


def _socket(line: str) -> Socket:
    found = _LINE.match(line)
    if not found:
        raise CannotObserve(f"a line of `ss -Hltunp` is not understood: {line[:120]}")
    users = dict.fromkeys(_USER.findall(found[4]))
    return Socket(found[1], found[2].strip("[]"), int(found[3]), ", ".join(users))


def _published(host: Host) -> Iterator[Socket]:
    for line in ask(host, "docker ps --format %s", "{{.Ports}}").splitlines():
        for address, first, last, protocol in _PUBLISHED.findall(line):
            for number in range(int(first), int(last or first) + 1):
                yield Socket(protocol, address.strip("[]"), number, "docker")


def _is_loopback(address: str) -> bool:
    bare = address.partition("%")[0]
    return bare != "*" and ipaddress.ip_address(bare).is_loopback


def _covers(entry: Allowed, socket: Socket) -> bool:
    same = (entry.number, entry.protocol) == (socket.number, socket.protocol)
    at = not entry.address or entry.address == socket.address
    by = not entry.process or entry.process in socket.process.split(", ")
    return same and at and by
