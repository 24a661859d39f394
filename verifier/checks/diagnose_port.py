"""Trouble: the port is taken. For each port the stack publishes: who holds it, on which address, and
whether it answers; and the next command.

    - id: published-ports-are-ours
      check: diagnose_port
      become: true
      with: {stack: "{{ compose_stack }}", services: [app]}

Red, each with its cause: a port that another container or a process holds (a process has a name and
a pid only for root: `become: true`); one that nobody holds because the container does not run or
was made without it; one bound to another address than declared; and one that is ours and does not
answer (refused, silent, or hung up at once), tried on the address it is bound to. Nothing published
at all is red too. `services` limits the look to their ports; `answer_s` is how long an answer may take.

Only TCP ports are tried; of UDP ports it is said who holds them. Whether the agreed ports are
published is the business of `compose_ports`, and what comes back of `http`.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, replace

from verifier.checks import compose_ports
from verifier.checks._compose import Container, Stack, compose_words, containers
from verifier.checks.base import Check, Host, Mismatch, ask
from verifier.checks.compose_ports import Port
from verifier.errors import CannotObserve

_ANY = ("", "0.0.0.0", "::", "*")  # noqa: S104  compared with, never bound
_PROBE = """
import socket, sys, time
began = time.monotonic()
try:
    s = socket.create_connection((sys.argv[1], int(sys.argv[2])), 5)
    s.settimeout(1)
    try:
        said = "answers" if s.recv(1) else "accepts and hangs up at once"
    except socket.timeout:
        said = "answers"
except ConnectionRefusedError:
    said = "refuses"
except socket.timeout:
    said = "is silent"
except OSError as error:
    said = "cannot be reached: %s" % error
print("%.3f %s" % (max(0, time.monotonic() - began), said))
"""


@dataclass(frozen=True)
class Params:
    stack: Stack
    services: tuple[str, ...] = ()
    answer_s: float = 5


@dataclass(frozen=True)
class Published:
    """A declared port: its holders on the host, the state of the container that should be, and how
    it answered ("" where not tried).
    """

    port: Port
    holders: tuple[Port, ...]
    container: str
    state: str
    answer: str
    answer_s: float


@dataclass(frozen=True)
class Seen:
    ports: tuple[Published, ...]
    compose: str


def observe(host: Host, want: Params) -> Seen:
    seen = compose_ports.observe(host, compose_ports.Params(want.stack, ()))
    found = containers(host, want.stack.project)
    chosen = (p for p in seen.published if not want.services or p.holder in want.services)
    ports = tuple(_look(host, want, port, seen.held, found) for port in chosen)
    return Seen(ports, shlex.join(compose_words(host, want.stack)))


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    if not seen.ports:
        asked = ", ".join(want.services) or "any service"
        return [Mismatch("published ports", f"at least one of {asked}", "none")]
    return [one for published in seen.ports for one in _judge(want, seen, published)]


def _impossible(want: Params) -> Params:
    return replace(want, answer_s=-1)


CHECK = Check(Params, observe, judge, impossible=_impossible)


def _look(
    host: Host, want: Params, port: Port, held: tuple[Port, ...], found: tuple[Container, ...]
) -> Published:
    if not port.number:
        raise CannotObserve(f"{port.holder} publishes a random port: nobody can say who holds it")
    same = (port.number, port.protocol)
    holders = tuple(dict.fromkeys(h for h in held if (h.number, h.protocol) == same))
    own = next((c for c in found if c.service == port.holder), None)
    name, state = (own.name, own.status) if own else ("", "")
    answer, took = "", 0.0
    if port.protocol == "tcp" and holders:
        bound = next((h for h in holders if _is_ours(want, h, name)), holders[0])
        address = "127.0.0.1" if bound.address in _ANY else bound.address
        answer, took = _probe(host, address, port.number)
    return Published(port, holders, name, state, answer, took)


def _probe(host: Host, address: str, number: int) -> tuple[str, float]:
    said = ask(host, "python3 -c %s %s %s", _PROBE, address, str(number))
    took, _, answer = said.strip().partition(" ")
    try:
        return answer, float(took)
    except ValueError as error:
        raise CannotObserve(
            f"trying {address}:{number} gave no answer that is understood"
        ) from error


def _is_ours(want: Params, holder: Port, container: str) -> bool:
    return holder.project == want.stack.project and holder.holder == f"container {container}"


def _judge(want: Params, seen: Seen, one: Published) -> list[Mismatch]:
    what = f"port {one.port} of {one.port.holder}"
    ours = [h for h in one.holders if _is_ours(want, h, one.container)]
    others = [h for h in one.holders if h not in ours and h.meets(one.port)]
    if others:
        return [
            Mismatch(
                what, f"held by {one.port.holder}", f"{h} held by {h.holder}; next: {_stop(h)}"
            )
            for h in others
        ]
    up = f"{seen.compose} up -d --force-recreate {one.port.holder}"
    if not ours:
        state = (
            f"{one.container} is {one.state or 'not there'}" if one.container else "no container"
        )
        then = up if one.state in ("", "running") else f"docker logs --tail 50 {one.container}"
        return [Mismatch(what, "held by it", f"held by nobody: {state}; next: {then}")]
    if not any(_is_bound(one.port, h) for h in ours):
        bound = ", ".join(sorted({h.address or "0.0.0.0" for h in ours}))  # noqa: S104  shown
        saw = f"bound to {bound}: the container was made otherwise; next: {up}"
        return [Mismatch(what, f"bound to {one.port.address or 'any address'}", saw)]
    return _judge_answer(want, what, one)


def _judge_answer(want: Params, what: str, one: Published) -> list[Mismatch]:
    then = f"docker logs --tail 50 {one.container}"
    if one.answer and one.answer != "answers":
        return [Mismatch(what, "an answer", f"{one.answer}; next: {then}")]
    if one.answer_s > want.answer_s:
        saw = f"{one.answer_s:g} s; next: {then}"
        return [Mismatch(what, f"an answer within {want.answer_s:g} s", saw)]
    return []


def _is_bound(port: Port, holder: Port) -> bool:
    return holder.address == port.address or (holder.address in _ANY and port.address in _ANY)


def _stop(holder: Port) -> str:
    if holder.holder.startswith("container "):
        return f"docker stop {holder.holder.removeprefix('container ')}"
    pid = re.search(r"pid (\d+)", holder.holder)
    if pid:
        return f"ps -o pid,user,lstart,args -p {pid[1]}, then stop it or choose another port"
    return f"sudo ss -Hltunp 'sport = :{holder.number}'"
