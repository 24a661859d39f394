"""A name resolves where the look is made, and to the addresses it should.

    - id: name-leads-here
      check: dns
      from: controller
      with: {name: www.example.org, addresses: [192.0.2.7], record: A, only: true}

`addresses` must all be among the answers; with `only` no other may be. `record` is the kind that is
asked for: A, AAAA, or `any` of the two. The name is resolved as every program there resolves it,
/etc/hosts and search domains included; a final dot keeps search domains out. A name that does not
exist, or has no address of that kind, is red; a resolver that cannot be reached or fails is no
verdict. An address in place of a name is refused, for it proves nothing. It needs python3 at the
vantage.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import Literal

from verifier.checks.base import Check, Host, Mismatch, ask
from verifier.errors import CannotObserve

_VERSIONS = {"A": (4,), "AAAA": (6,), "any": (4, 6)}


@dataclass(frozen=True, slots=True)
class Params:
    name: str
    addresses: tuple[str, ...] = ()
    only: bool = False
    record: Literal["A", "AAAA", "any"] = "any"

    def __post_init__(self) -> None:
        if not self.name.strip() or _is_address(self.name):
            raise ValueError("name is a name to resolve, not an address")
        if self.only and not self.addresses:
            raise ValueError("only needs the addresses that there may be")
        for one in self.addresses:
            if not _is_address(one) or ip_address(one).version not in _VERSIONS[self.record]:
                raise ValueError(f"addresses: '{one}' is no address of record {self.record}")


@dataclass(frozen=True, slots=True)
class Seen:
    """`addresses` in their shortest form; `trouble` is the resolver's word when there are none."""

    addresses: tuple[str, ...]
    trouble: str = ""


def observe(host: Host, want: Params) -> Seen:
    printed = ask(host, "python3 -c %s %s %s", _PROGRAM, want.name, want.record)
    try:
        raw = json.loads(printed)
        found = {str(ip_address(address)) for address in raw["addresses"]}
        return Seen(tuple(sorted(found)), str(raw["trouble"]))
    except (KeyError, TypeError, ValueError) as error:
        raise CannotObserve("the program at the vantage printed something else") from error


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    kind = "an address" if want.record == "any" else f"a record {want.record}"
    if not seen.addresses:
        return [Mismatch(want.name, kind, seen.trouble or "none")]
    wanted = [str(ip_address(one)) for one in want.addresses]
    saw = ", ".join(seen.addresses)
    wrong = [
        Mismatch(want.name, f"{address} among its addresses", saw)
        for address in wanted
        if address not in seen.addresses
    ]
    others = [address for address in seen.addresses if address not in wanted]
    if want.only and others:
        wrong.append(Mismatch(want.name, f"only {', '.join(wanted)}", f"also {', '.join(others)}"))
    return wrong


def _impossible(want: Params) -> Params:
    # Addresses that no host can have: to all of a network.
    address = "ff00::" if want.record == "AAAA" else "255.255.255.255"
    return replace(want, addresses=(address,), only=False)


CHECK = Check(Params, observe, judge, impossible=_impossible)


def _is_address(text: str) -> bool:
    try:
        ip_address(text.strip())
    except ValueError:
        return False
    return True


_PROGRAM = """
import json, socket, sys

name, record = sys.argv[1:]
families = {"A": socket.AF_INET, "AAAA": socket.AF_INET6, "any": socket.AF_UNSPEC}
# No such name, and a name without an address of this kind. Everything else is the resolver's own trouble.
answers = {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME),
           getattr(socket, "EAI_ADDRFAMILY", socket.EAI_NONAME)}
try:
    found = socket.getaddrinfo(name, None, families[record], socket.SOCK_STREAM)
    addresses = sorted({entry[4][0].partition("%")[0] for entry in found})
    print(json.dumps({"addresses": addresses, "trouble": ""}))
except socket.gaierror as error:
    if error.errno not in answers:
        sys.stderr.write("%s cannot be resolved: %s\\n" % (name, error.strerror))
        sys.exit(1)
    print(json.dumps({"addresses": [], "trouble": error.strerror}))
except (UnicodeError, OSError) as error:
    sys.stderr.write("%s cannot be resolved: %s\\n" % (name, error))
    sys.exit(1)
"""
