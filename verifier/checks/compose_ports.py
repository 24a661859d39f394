"""The published ports are the agreed ones, and each is free or already held by this project's own
containers.

    - id: compose-ports
      check: compose_ports
      with:
        stack: "{{ compose_stack }}"
        allowed: ["0.0.0.0:8000"]

`allowed` lists every port that may be and must be published: `8000` on any address,
`127.0.0.1:8000` on this one, `8000/udp` for UDP. Red for a port that is not on the list, one that
is not published though on the list, a random port, one published twice, and one that something else
holds on the host: a container of another project, or a process (its name is only visible to root:
`become: true`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from verifier.checks._compose import PROJECT_LABEL, Stack, merged_config
from verifier.checks.base import Check, Host, Mismatch, ask
from verifier.errors import CannotObserve

_ANY = ("", "0.0.0.0", "::", "*")  # noqa: S104  compared with, never bound
_LISTENER = re.compile(r"^(tcp|udp)\s+\S+\s+\d+\s+\d+\s+(\S+):(\d+)\s+\S+[ \t]*(.*)$", re.MULTILINE)
_PROGRAM = re.compile(r'\("([^"]+)",pid=(\d+)')
_FORWARD = re.compile(r"(\S+):(\d+)(?:-(\d+))?->\S+/(tcp|udp)")


@dataclass(frozen=True)
class Params:
    stack: Stack
    allowed: tuple[str, ...]


@dataclass(frozen=True)
class Port:
    """A port of the host: published by a service (`holder` is its name), or held by somebody."""

    address: str
    number: int
    protocol: str
    holder: str
    project: str = ""

    def __str__(self) -> str:
        return f"{self.address or '0.0.0.0'}:{self.number}/{self.protocol}"  # noqa: S104  shown

    def meets(self, other: Port) -> bool:
        same = (self.number, self.protocol) == (other.number, other.protocol)
        return same and (
            self.address == other.address or self.address in _ANY or other.address in _ANY
        )


@dataclass(frozen=True)
class Seen:
    """`published` as the configuration wants it (number 0: a random port); `held` as the host is
    now.
    """

    published: tuple[Port, ...]
    held: tuple[Port, ...]


def observe(host: Host, want: Params) -> Seen:
    services = merged_config(host, want.stack)["services"]
    published = (port for name, body in services.items() for port in _published(name, body))
    forwards = tuple(_forwards(host))
    listeners = (
        port for port in _listeners(host) if not any(port.meets(other) for other in forwards)
    )
    return Seen(tuple(published), (*forwards, *listeners))


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    found = []
    for port in seen.published:
        if not port.number:
            found.append(Mismatch(f"port of {port.holder}", "a declared number", "a random one"))
        elif not any(_allows(entry, port) for entry in want.allowed):
            wanted = f"only {', '.join(want.allowed) or 'nothing'}"
            found.append(Mismatch("published ports", wanted, f"{port} by {port.holder}"))
    found += [
        Mismatch(f"port {entry}", "published", "not published, or on another address")
        for entry in want.allowed
        if not any(_allows(entry, port) for port in seen.published)
    ]
    return [*found, *_twice(seen.published), *_conflicts(want, seen)]


def _impossible(want: Params) -> Params:
    return replace(want, allowed=("65536",))  # one above the last


CHECK = Check(Params, observe, judge, impossible=_impossible)


def _published(service: str, body: Mapping[str, Any]) -> Iterator[Port]:
    for given in body.get("ports") or []:
        if isinstance(given, dict):
            address, protocol = str(given.get("host_ip") or ""), str(given.get("protocol", "tcp"))
            numbers = str(given.get("published") or "0")
        else:
            text, _, protocol = str(given).partition("/")
            rest, _, _ = text.rpartition(":")
            address, _, numbers = rest.rpartition(":")
        first, _, last = (numbers or "0").partition("-")
        for number in range(int(first), int(last or first) + 1):
            yield Port(address.strip("[]"), number, protocol or "tcp", service)


def _forwards(host: Host) -> Iterator[Port]:
    form = '{{.Names}}|{{.Label "%s"}}|{{.Ports}}' % PROJECT_LABEL  # noqa: UP031  braces everywhere
    for line in ask(host, "docker ps --no-trunc --format %s", form).splitlines():
        name, project, ports = (*line.split("|", 2), "", "")[:3]
        for address, first, last, protocol in _FORWARD.findall(ports):
            for number in range(int(first), int(last or first) + 1):
                yield Port(address.strip("[]"), number, protocol, f"container {name}", project)


def _listeners(host: Host) -> Iterator[Port]:
    listing = ask(host, "ss -Hltunp")
    lines = _LISTENER.findall(listing)
    if listing.strip() and not lines:
        raise CannotObserve("the listing of `ss -Hltunp` is not understood")
    for protocol, address, number, rest in lines:
        programs = _PROGRAM.findall(rest)
        names = ", ".join(f"{name} (pid {pid})" for name, pid in programs)
        holder = names or "a process this user may not see"
        yield Port(address.partition("%")[0].strip("[]"), int(number), protocol, holder)


def _allows(entry: str, port: Port) -> bool:
    place, _, protocol = entry.partition("/")
    address, _, number = place.rpartition(":")
    is_there = not address or address == port.address or (address in _ANY and port.address in _ANY)
    return is_there and number == str(port.number) and (protocol or "tcp") == port.protocol


def _twice(published: tuple[Port, ...]) -> list[Mismatch]:
    return [
        Mismatch(f"port {port}", "published once", f"by {port.holder} and by {other.holder}")
        for index, port in enumerate(published)
        for other in published[index + 1 :]
        if port.number and port.meets(other)
    ]


def _conflicts(want: Params, seen: Seen) -> list[Mismatch]:
    held = (port for port in seen.held if port.project != want.stack.project)
    return [
        Mismatch(f"port {port.number}", "free or held by this project", f"held by {port.holder}")
        for port in held
        if any(port.meets(wanted) for wanted in seen.published)
    ]
