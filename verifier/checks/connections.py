"""The application holds established connections to its database, and no half-dead ones pile up.

    - id: database-connections
      check: connections
      with:
        project: "{{ compose_project }}"
        service: app
        peers: [{service: db, port: 3306}]

Read from the socket table of the application's own network namespace. Each peer must have at least
`min` and, where given, at most `max` established connections from the service; of all sockets at
most `close_wait` may be waiting for the application to close them, and at most `syn_recv` be half
open.
"""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from verifier.checks._compose import Container, container_of, execute
from verifier.checks.base import Check, Host, Mismatch
from verifier.errors import CannotObserve

_STATES = {
    "01": "established",
    "02": "syn-sent",
    "03": "syn-recv",
    "06": "time-wait",
    "08": "close-wait",
    "0A": "listen",
}


@dataclass(frozen=True)
class Peer:
    service: str
    port: int
    min: int = 1
    max: int | None = None


@dataclass(frozen=True)
class Params:
    project: str
    service: str
    peers: tuple[Peer, ...]
    close_wait: int = 10
    syn_recv: int = 10


@dataclass(frozen=True)
class Seen:
    """Sockets by state, and established connections by peer as `service:port`."""

    states: Mapping[str, int]
    established: Mapping[str, int]


def observe(host: Host, want: Params) -> Seen:
    app = container_of(host, want.project, want.service)
    table = execute(host, app, "cat", "/proc/net/tcp", "/proc/net/tcp6")
    sockets = [_socket(line) for line in table.splitlines() if "local_address" not in line]
    if not sockets:
        raise CannotObserve(f"the socket table of '{app.name}' is empty")
    established = {}
    for peer in want.peers:
        addresses = _addresses(container_of(host, want.project, peer.service))
        ends = [end for end, state in sockets if state == "established"]
        established[f"{peer.service}:{peer.port}"] = sum(
            at in addresses and port == peer.port for at, port in ends
        )
    return Seen(dict(sorted(Counter(state for _, state in sockets).items())), established)


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    found = [] if want.peers else [Mismatch("peers", "at least one to look for", "none")]
    for peer in want.peers:
        name = f"{peer.service}:{peer.port}"
        number = seen.established.get(name, 0)
        what = f"established connections from {want.service} to {name}"
        if number < peer.min:
            found.append(Mismatch(what, f"at least {peer.min}", str(number)))
        if peer.max is not None and number > peer.max:
            found.append(Mismatch(what, f"at most {peer.max}", str(number)))
    for state, limit in (("close-wait", want.close_wait), ("syn-recv", want.syn_recv)):
        if seen.states.get(state, 0) > limit:
            what = f"sockets of {want.service} in {state}"
            found.append(Mismatch(what, f"at most {limit}", str(seen.states[state])))
    return found


def _impossible(want: Params) -> Params:
    peers = tuple(replace(peer, min=10**9, max=None) for peer in want.peers)
    return replace(want, peers=peers)


CHECK = Check(Params, observe, judge, impossible=_impossible)


def _socket(line: str) -> tuple[tuple[str, int], str]:
    try:
        _, _, remote, state, *_ = line.split()
        address, port = remote.split(":")
        return (_address(address), int(port, 16)), _STATES.get(state, f"state {state}")
    except ValueError as error:
        raise CannotObserve(f"the socket table is not understood: {line[:120]}") from error


def _address(digits: str) -> str:
    # The kernel prints each 32-bit word in the machine's own byte order.
    words = [bytes.fromhex(digits[at : at + 8])[::-1] for at in range(0, len(digits), 8)]
    address = ipaddress.ip_address(b"".join(words))
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)


def _addresses(container: Container) -> set[str]:
    networks = container.raw["NetworkSettings"]["Networks"].values()
    given = {net.get(kind) for net in networks for kind in ("IPAddress", "GlobalIPv6Address")}
    return {str(address) for address in given if address}
