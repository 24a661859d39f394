"""Loaded packet filter rules, read into one shape and walked for one packet: the first one of a new
connection that comes from anywhere, for every port at once. Facts only. A rule whose effect is not
known is refused where it would matter, never guessed.
"""

from __future__ import annotations

import ipaddress
import json
import re
import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any

from verifier.errors import CannotObserve

_HIGHEST = 65536
_PROTOCOLS = {"tcp": 0, "udp": 1, "6": 0, "17": 1}
OTHER = 1 << (2 * _HIGHEST)  # everything that is neither tcp nor udp
PORTS = OTHER - 1
EVERYTHING = OTHER | PORTS


class Who(IntEnum):
    """Whom a rule hits of those outside. What OFTEN leaves over is everybody still (a rate, a port
    of the sender, an address of ours); what MOST leaves over is a few.
    """

    NOBODY = 0
    SOME = 1
    OFTEN = 2
    MOST = 3
    ALL = 4


@dataclass(frozen=True, slots=True)
class Rule:
    """`ports` is a set of ports (one bit each); `verdict` is accept, drop, return, jump, goto or ""
    (goes on). `unknown` is the part of it that is not understood.
    """

    text: str
    verdict: str = ""
    target: str = ""
    ports: int = EVERYTHING
    who: Who = Who.ALL
    unknown: str = ""


@dataclass(slots=True)
class Opened:
    """What one way in lets through: to all, to some, and (to all) what no rule that names ports
    decided on.
    """

    to_all: int = 0
    to_some: int = 0
    undecided: int = 0

    @property
    def passing(self) -> int:
        return self.to_all | self.to_some | self.undecided


def ports(protocol: str, first: int, last: int) -> int:
    """The bits of a range of ports; `protocol` is tcp or udp."""
    return ((1 << (last - first + 1)) - 1) << (_PROTOCOLS[protocol] * _HIGHEST + first)


def named(mask: int) -> tuple[str, ...]:
    """The ports of a set in words: `22/tcp`, `8000-8010/tcp`."""
    found = []
    for protocol in ("tcp", "udp"):
        half = (mask >> (_PROTOCOLS[protocol] * _HIGHEST)) & ((1 << _HIGHEST) - 1)
        first = 0
        while half:
            skip = (half & -half).bit_length() - 1
            first, half = first + skip, half >> skip
            length = ((half + 1) & ~half).bit_length() - 1
            last = first + length - 1
            found.append(f"{first}/{protocol}" if length == 1 else f"{first}-{last}/{protocol}")
            first, half = first + length, half >> length
    return tuple(found)


def walk(chains: Mapping[str, tuple[Rule, ...]], chain: str, *, accepts: bool) -> Opened:
    """What a base chain lets in. `accepts` is its policy."""
    opened = Opened()
    rest = _walk(chains, chain, _Packets(EVERYTHING, 0), opened, 0)
    if accepts:
        opened.undecided |= rest.of_all
        opened.to_some |= rest.of_some
    return opened


@dataclass(slots=True)
class _Packets:
    """Ports on which packets of everybody, and on which packets of some only, are on their way."""

    of_all: int
    of_some: int

    def hit_by(self, rule: Rule) -> _Packets:
        if rule.who == Who.NOBODY:
            return _Packets(0, 0)
        if rule.who == Who.SOME:
            return _Packets(0, (self.of_all | self.of_some) & rule.ports)
        return _Packets(self.of_all & rule.ports, self.of_some & rule.ports)

    def without(self, rule: Rule) -> _Packets:
        if rule.who == Who.ALL:
            return _Packets(self.of_all & ~rule.ports, self.of_some & ~rule.ports)
        if rule.who == Who.MOST:
            few = self.of_some | (self.of_all & rule.ports)
            return _Packets(self.of_all & ~rule.ports, few)
        return self

    def and_these(self, more: _Packets) -> _Packets:
        return _Packets(self.of_all | more.of_all, self.of_some | more.of_some)


def _walk(
    chains: Mapping[str, tuple[Rule, ...]],
    chain: str,
    packets: _Packets,
    opened: Opened,
    depth: int,
) -> _Packets:
    """The packets that fall back to the caller."""
    if chain not in chains or depth > 20:  # noqa: PLR2004  the kernel refuses loops
        raise CannotObserve(f"chain {chain} is not listed, or calls itself")
    back = _Packets(0, 0)
    for rule in chains[chain]:
        hit = packets.hit_by(rule)
        if not rule.verdict or not (hit.of_all | hit.of_some):
            continue
        if rule.unknown:
            _refuse_what_matters(rule, hit)
            continue
        packets = packets.without(rule)
        if rule.verdict == "accept" and rule.ports == EVERYTHING:
            opened.undecided |= hit.of_all
            opened.to_some |= hit.of_some
        elif rule.verdict == "accept":
            opened.to_all |= hit.of_all
            opened.to_some |= hit.of_some
        elif rule.verdict == "return":
            back = back.and_these(hit)
        elif rule.verdict == "jump":
            fell = _walk(chains, rule.target, hit, opened, depth + 1)
            packets = packets.and_these(fell)
        elif rule.verdict == "goto":
            back = back.and_these(_walk(chains, rule.target, hit, opened, depth + 1))
    return back.and_these(packets)


def _refuse_what_matters(rule: Rule, hit: _Packets) -> None:
    if (hit.of_all | hit.of_some) & PORTS:
        raise CannotObserve(f"not understood: {rule.unknown} in '{rule.text[:160]}'")


# ---- iptables-save -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tables:
    """Of one family: table -> chain -> rules, and the policies of the built-in chains."""

    chains: Mapping[str, dict[str, tuple[Rule, ...]]]
    policies: Mapping[tuple[str, str], str]


_TARGETS = {
    "ACCEPT": "accept",
    "DROP": "drop",
    "REJECT": "drop",
    "TARPIT": "drop",
    "RETURN": "return",
}
_GOES_ON = {
    *(
        "LOG",
        "NFLOG",
        "ULOG",
        "MARK",
        "CONNMARK",
        "CT",
        "NOTRACK",
        "SET",
        "TCPMSS",
        "TRACE",
        "AUDIT",
    ),
    *(
        "SECMARK",
        "CONNSECMARK",
        "CLASSIFY",
        "DSCP",
        "TOS",
        "TTL",
        "HL",
        "CHECKSUM",
        "RATEEST",
        "LED",
    ),
    *("IDLETIMER", "MASQUERADE", "SNAT"),
}
_RATES = {"limit", "hashlimit", "connlimit", "recent", "statistic", "time"}
_SILENT = {"comment", "tcp", "udp", "multiport", "state", "conntrack", "icmp", "icmp6", "addrtype"}


def read_save(text: str, outer: frozenset[str]) -> Tables:
    """What `iptables-save` prints. `outer` are the interfaces that lead outside."""
    chains: dict[str, dict[str, list[Rule]]] = {}
    policies: dict[tuple[str, str], str] = {}
    table = ""
    for line in text.splitlines():
        if line.startswith("*"):
            table = line[1:].strip()
            chains[table] = {}
        elif line.startswith(":"):
            chain, policy = line[1:].split()[:2]
            chains[table][chain] = []
            policies[table, chain] = policy
        elif line.startswith(("-A ", "[")):
            words = shlex.split(re.sub(r"^\[\d+:\d+\] ", "", line))
            rule = _saved_rule(words[2:], line, outer, is_nat=table == "nat")
            chains[table].setdefault(words[1], []).append(rule)
        elif line and not line.startswith("#") and line != "COMMIT":
            raise CannotObserve(f"iptables-save says what is not understood: '{line[:160]}'")
    fixed = {t: {c: tuple(r) for c, r in found.items()} for t, found in chains.items()}
    return Tables(fixed, policies)


@dataclass(slots=True)
class _Reading:
    ports: int = EVERYTHING
    who: Who = Who.ALL
    unknown: str = ""
    verdict: str = ""
    target: str = ""

    def only(self, who: Who) -> None:
        self.who = min(self.who, who)


def _saved_rule(words: list[str], line: str, outer: frozenset[str], *, is_nat: bool) -> Rule:
    found = _Reading()
    module = ""
    at = 0
    while at < len(words):
        inverted = words[at] == "!"
        at += inverted
        name = words[at]
        values = []
        at += 1
        while at < len(words) and not (words[at].startswith("-") and len(words[at]) > 1):
            if words[at] == "!" and at + 1 < len(words) and words[at + 1].startswith("-"):
                break
            values.append(words[at])
            at += 1
        if name in ("-m", "--match"):
            module = values[0]
            if module in _RATES:
                found.only(Who.OFTEN)
            elif module not in _SILENT | {"set", "iprange", "pkttype", "rt"}:
                found.unknown = found.unknown or f"the match '{module}'"
            continue
        if name in ("-j", "-g"):
            _aim(found, name, values[0], is_nat=is_nat)
            module = values[0]
            continue
        _match(found, module, name, values, outer, inverted=inverted)
    return _rule_of(found, line.strip())


def _aim(found: _Reading, name: str, target: str, *, is_nat: bool) -> None:
    # A table of addresses lets nothing in, but what it sends elsewhere does not come to INPUT.
    if is_nat and target in ("ACCEPT", "DNAT"):
        found.verdict = "drop" if target == "ACCEPT" else "accept"
    elif target == "REDIRECT":
        found.verdict, found.unknown = "accept", "the target REDIRECT"
    elif target in _TARGETS:
        found.verdict = _TARGETS[target]
    elif target in _GOES_ON:
        found.verdict = ""
    elif target in ("QUEUE", "NFQUEUE"):
        found.verdict, found.unknown = "accept", f"the target {target}"
    else:
        found.verdict, found.target = ("goto" if name == "-g" else "jump"), target


def _match(  # noqa: C901, PLR0912  one branch for each option
    found: _Reading,
    module: str,
    name: str,
    values: list[str],
    outer: frozenset[str],
    *,
    inverted: bool,
) -> None:
    value = values[0] if values else ""
    if module.isupper() or module in _RATES or name == "--comment":
        return  # an option of the target, or of a match that was counted already
    if name in ("-p", "--protocol"):
        mask = _of_protocol(value)
        found.ports &= EVERYTHING & ~(mask & PORTS) if inverted else mask
        if mask == OTHER and not inverted:
            found.only(Who.SOME)  # of the other protocols these are a few
    elif name in ("--dport", "--dports", "--destination-port", "--destination-ports", "--ports"):
        mask = _of_ports(value)
        found.ports &= PORTS & ~mask if inverted else mask
    elif name in ("--sport", "--sports", "--source-port", "--source-ports"):
        found.only(Who.OFTEN)
    elif name in ("-s", "--source"):
        found.only(_of_source(value, inverted=inverted))
    elif name in ("-d", "--destination"):
        found.only(_of_destination(value, inverted=inverted))
    elif name in ("-i", "--in-interface"):
        found.only(_of_interface(value, outer, inverted=inverted))
    elif name in ("--state", "--ctstate"):
        states = set(value.split(","))
        if states & {"SNAT", "DNAT"} or bool(states & {"NEW", "UNTRACKED"}) == inverted:
            found.only(Who.NOBODY)
    elif name in ("--tcp-flags", "--syn"):
        _flags(found, values or ["FIN,SYN,RST,ACK", "SYN"], inverted=inverted)
    elif name == "--dst-type" and value in ("LOCAL", "UNICAST"):
        found.only(Who.NOBODY if inverted else Who.ALL)
    elif name == "--dst-type":
        found.only(Who.ALL if inverted else Who.NOBODY)
    elif name == "--pkt-type":
        found.only(Who.ALL if (value == "unicast") != inverted else Who.NOBODY)
    elif module in ("set", "iprange"):
        found.only(Who.MOST if inverted else Who.SOME)
    elif module == "rt":
        found.only(Who.SOME)
    elif module in ("icmp", "icmp6"):
        found.ports &= OTHER
        found.only(Who.SOME)
    elif name in ("-f", "--fragment"):
        found.only(Who.ALL if inverted else Who.NOBODY)
    elif not found.unknown:
        found.unknown = f"the option {name}"


def _of_protocol(value: str) -> int:
    if value in _PROTOCOLS:
        return ports("tcp" if _PROTOCOLS[value] == 0 else "udp", 0, _HIGHEST - 1)
    return EVERYTHING if value in ("all", "0") else OTHER


def _of_ports(value: str) -> int:
    mask = 0
    for part in value.split(","):
        first, _, last = part.replace("-", ":").partition(":")
        if not first.isdigit() or (last and not last.isdigit()):
            raise CannotObserve(f"not understood: the port '{part}'")
        for protocol in ("tcp", "udp"):
            mask |= ports(protocol, int(first), int(last or first))
    return mask


def _of_source(value: str, *, inverted: bool) -> Who:
    try:
        net = ipaddress.ip_network(value, strict=False)
    except ValueError:
        return Who.MOST if inverted else Who.SOME
    if net.prefixlen == 0:
        return Who.NOBODY if inverted else Who.ALL
    if net.is_loopback:
        return Who.ALL if inverted else Who.NOBODY
    # Half of all addresses is not "some".
    if net.prefixlen <= 4:  # noqa: PLR2004
        return Who.SOME if inverted else Who.OFTEN
    return Who.MOST if inverted else Who.SOME


def _of_destination(value: str, *, inverted: bool) -> Who:
    try:
        net = ipaddress.ip_network(value, strict=False)
    except ValueError:
        return Who.OFTEN
    if net.prefixlen == 0:
        return Who.NOBODY if inverted else Who.ALL
    if net.is_loopback or net.is_multicast or str(net.network_address) == "255.255.255.255":
        return Who.ALL if inverted else Who.NOBODY
    return Who.OFTEN  # it may be the address that this host is known by


def _of_interface(value: str, outer: frozenset[str], *, inverted: bool) -> Who:
    named_it = value.removesuffix("+").removesuffix("*")
    if value == "lo":
        return Who.ALL if inverted else Who.NOBODY
    if not outer:
        raise CannotObserve(f"no default route tells whether interface {value} leads outside")
    hit = {
        name for name in outer if name == value or (named_it != value and name.startswith(named_it))
    }
    if inverted:
        return Who.NOBODY if hit == outer else Who.OFTEN if hit else Who.ALL
    return Who.ALL if hit == outer else Who.OFTEN if hit else Who.SOME


def _flags(found: _Reading, values: list[str], *, inverted: bool) -> None:
    """A new connection begins with SYN alone."""
    everything = {"FIN", "SYN", "RST", "PSH", "ACK", "URG"}
    looked, are = (
        everything if v == "ALL" else set() if v == "NONE" else set(v.split(","))
        for v in values[:2]
    )
    if ((looked & {"SYN"}) == are) == inverted:
        found.ports &= ~ports("tcp", 0, _HIGHEST - 1)


# ---- nft -j list ruleset -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BaseChain:
    """One chain at a hook, with the chains of its table as one family's packets meet them."""

    name: str
    hook: str
    accepts: bool
    chains: Mapping[str, tuple[Rule, ...]]
    chain: str


@dataclass(frozen=True, slots=True)
class Ruleset:
    """What nftables has loaded, without the tables that iptables speaks for."""

    bases: tuple[BaseChain, ...]
    published: tuple[BaseChain, ...]


def read_ruleset(
    text: str, family: str, outer: frozenset[str], without: Iterable[str] = ()
) -> Ruleset:
    """For packets of `family` (ip or ip6); `without` are names of tables of that family."""
    try:
        entries = json.loads(text)["nftables"]
        return _Nft(entries, family, outer, frozenset(without)).read()
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise CannotObserve("`nft -j list ruleset` says what is not understood") from error


class _Nft:
    def __init__(
        self,
        entries: list[dict[str, Any]],
        family: str,
        outer: frozenset[str],
        without: frozenset[str],
    ) -> None:
        self.family, self.outer = family, outer

        def ours(one: Mapping[str, Any]) -> bool:
            is_left_out = one["family"] == family and one["table"] in without
            return one["family"] in ("inet", family) and not is_left_out

        def of(kind: str) -> list[dict[str, Any]]:
            return [entry[kind] for entry in entries if kind in entry and ours(entry[kind])]

        self.chains, self.rules = of("chain"), of("rule")
        self.sets = {(s["family"], s["table"], s["name"]): s for s in (*of("set"), *of("map"))}

    def read(self) -> Ruleset:
        tables: dict[tuple[str, str], dict[str, list[Rule]]] = {}
        for chain in self.chains:
            tables.setdefault((chain["family"], chain["table"]), {})[chain["name"]] = []
        for rule in self.rules:
            key = (rule["family"], rule["table"])
            tables[key][rule["chain"]] += self._rules(rule)
        bases = [
            BaseChain(
                f"{c['family']} {c['table']} {c['name']}",
                c["hook"],
                c["type"] == "filter" and c.get("policy", "accept") == "accept",
                {
                    name: tuple(_for_hook(r, is_nat=c["type"] == "nat") for r in rules)
                    for name, rules in tables[c["family"], c["table"]].items()
                },
                c["name"],
            )
            for c in self._hooked()
        ]
        kinds = {b.name: c["type"] for b, c in zip(bases, self._hooked(), strict=True)}
        return Ruleset(
            tuple(b for b in bases if kinds[b.name] == "filter"),
            tuple(b for b in bases if kinds[b.name] == "nat" and b.hook == "prerouting"),
        )

    def _hooked(self) -> list[dict[str, Any]]:
        hooks, types = ("prerouting", "input"), ("filter", "nat")
        return [c for c in self.chains if c.get("hook") in hooks and c.get("type") in types]

    def _rules(self, rule: Mapping[str, Any]) -> list[Rule]:
        """A rule may have a map of verdicts: that is one rule for each of them, and the rest."""
        found = _Reading()
        where = (rule["family"], rule["table"])
        text = f"{where[0]} {where[1]} {rule['chain']} handle {rule.get('handle', '?')}"
        done: list[Rule] = []
        for statement in rule["expr"]:
            kind, body = _pair(statement)
            if kind == "match":
                self._match(found, where, body["left"], body["right"], body.get("op", "=="))
            elif kind == "vmap":
                done += self._mapped(found, where, text, body)
            else:
                _state(found, kind, body)
        return [*done, _rule_of(found, text)]

    def _mapped(
        self, found: _Reading, where: tuple[str, str], text: str, body: Mapping[str, Any]
    ) -> list[Rule]:
        data = body["data"]
        if isinstance(data, str):
            data = {"set": self.sets[(*where, data.lstrip("@"))].get("elem", [])}
        done = []
        for key, verdict in data["set"]:
            one = _copy(found)
            key_value = key["elem"]["val"] if isinstance(key, dict) and "elem" in key else key
            self._match(one, where, body["key"], key_value, "==")
            ((kind, goal),) = verdict.items()
            one.verdict = "drop" if kind == "reject" else kind
            one.target = goal["target"] if isinstance(goal, dict) else ""
            done.append(_rule_of(one, text))
        return done

    def _match(
        self, found: _Reading, where: tuple[str, str], left: object, right: object, op: str
    ) -> None:
        inverted = op == "!="
        values = self._values(where, right)
        what = _field(left)
        if op not in ("==", "!=", "in") or what not in self._readers():
            found.unknown = found.unknown or f"the match of {what}"
            return
        if values is None:  # a set that packets fill
            found.only(Who.MOST if inverted else Who.SOME)
            return
        self._readers()[what](found, values, inverted)

    def _values(self, where: tuple[str, str], right: object) -> list[str] | None:
        if isinstance(right, str) and right.startswith("@"):
            named_set = self.sets[(*where, right[1:])]
            if "dynamic" in named_set.get("flags", []) or "timeout" in named_set:
                return None
            return [_value(one) for one in named_set.get("elem", [])]
        if isinstance(right, dict) and "set" in right:
            return [_value(one) for one in right["set"]]
        return [_value(one) for one in right] if isinstance(right, list) else [_value(right)]

    def _readers(self) -> dict[str, Callable[[_Reading, list[str], bool], None]]:
        return {
            "tcp dport": lambda f, v, i: _nft_ports(f, "tcp", v, inverted=i),
            "udp dport": lambda f, v, i: _nft_ports(f, "udp", v, inverted=i),
            "th dport": lambda f, v, i: _nft_ports(f, "", v, inverted=i),
            "tcp sport": lambda f, *_: _nft_source_port(f, "tcp"),
            "udp sport": lambda f, *_: _nft_source_port(f, "udp"),
            "tcp flags": lambda f, v, i: _nft_flags(f, v, inverted=i),
            "meta l4proto": _nft_protocols,
            "ip protocol": lambda f, v, i: self._only_family(f, "ip", _nft_protocols, v, i),
            "ip6 nexthdr": lambda f, v, i: self._only_family(f, "ip6", _nft_protocols, v, i),
            "ip saddr": lambda f, v, i: self._only_family(f, "ip", _nft_sources, v, i),
            "ip6 saddr": lambda f, v, i: self._only_family(f, "ip6", _nft_sources, v, i),
            "ip daddr": lambda f, v, i: self._only_family(f, "ip", _nft_destinations, v, i),
            "ip6 daddr": lambda f, v, i: self._only_family(f, "ip6", _nft_destinations, v, i),
            "meta nfproto": self._nft_family,
            "meta protocol": self._nft_family,
            "ct state": _nft_states,
            "ct status": lambda f, _, i: f.only(Who.ALL if i else Who.NOBODY),
            "meta iifname": self._nft_interfaces,
            "meta iif": self._nft_interfaces,
            "meta pkttype": lambda f, v, i: f.only(
                Who.ALL if ("host" in v or "unicast" in v) != i else Who.NOBODY
            ),
            "fib daddr type": lambda f, v, i: f.only(
                Who.ALL if ("local" in v) != i else Who.NOBODY
            ),
            "icmp type": _nft_other,
            "icmpv6 type": _nft_other,
            "icmp code": _nft_other,
            "ip6 hoplimit": _nft_some,
        }

    def _only_family(
        self,
        found: _Reading,
        family: str,
        reader: Callable[[_Reading, list[str], bool], None],
        values: list[str],
        inverted: bool,  # noqa: FBT001  as every reader
    ) -> None:
        if family != self.family:
            found.only(Who.NOBODY)
        else:
            reader(found, values, inverted)

    def _nft_family(self, found: _Reading, values: list[str], inverted: bool) -> None:  # noqa: FBT001
        own = {"ip": {"ipv4", "ip"}, "ip6": {"ipv6", "ip6"}}[self.family]
        if bool(own & set(values)) == inverted:
            found.only(Who.NOBODY)

    def _nft_interfaces(self, found: _Reading, values: list[str], inverted: bool) -> None:  # noqa: FBT001
        each = [_of_interface(value, self.outer, inverted=inverted) for value in values]
        found.only(min(each) if inverted else max(each))


_NFT_GOES_ON = {
    *(
        "counter",
        "log",
        "notrack",
        "mangle",
        "ct helper",
        "ct timeout",
        "ct expectation",
        "comment",
    ),
    *("masquerade", "snat", "flow", "secmark", "last"),
}


def _pair(statement: Any) -> tuple[str, Any]:  # noqa: ANN401  as nft wrote it
    if not isinstance(statement, dict):
        return str(statement), None
    ((kind, body),) = statement.items()
    return str(kind), body


def _for_hook(rule: Rule, *, is_nat: bool) -> Rule:
    """A chain of addresses lets nothing in; what it sends elsewhere does not come to the input."""
    if rule.verdict == "dnat":
        return replace(rule, verdict="accept" if is_nat else "")
    return replace(rule, verdict="drop") if is_nat and rule.verdict == "accept" else rule


def _state(found: _Reading, kind: str, body: Any) -> None:  # noqa: ANN401  as nft wrote it
    """A statement of a rule, other than a match."""
    if kind in ("accept", "drop", "return", "reject"):
        found.verdict = "drop" if kind == "reject" else kind
    elif kind in ("jump", "goto"):
        found.verdict, found.target = kind, body["target"]
    elif kind == "dnat":
        found.verdict = kind
    elif kind in ("limit", "ct count", "quota", "set", "meter"):
        found.only(Who.OFTEN)
    elif kind in ("queue", "tproxy", "redirect", "xt"):
        found.verdict, found.unknown = "accept", f"the statement '{kind}'"
    elif kind not in _NFT_GOES_ON:
        found.unknown = found.unknown or f"the statement '{kind}'"


def _copy(found: _Reading) -> _Reading:
    return _Reading(found.ports, found.who, found.unknown)


def _rule_of(found: _Reading, text: str) -> Rule:
    return Rule(text, found.verdict, found.target, found.ports, found.who, found.unknown)


def _field(left: object) -> str:
    if isinstance(left, dict):
        ((kind, body),) = left.items()
        if kind == "payload" and "protocol" in body:
            return f"{body['protocol']} {body['field']}"
        if kind in ("meta", "ct") and "dir" not in body:
            return f"{kind} {body['key']}"
        if kind == "fib" and body["result"] == "type" and "daddr" in body["flags"]:
            return "fib daddr type"
        if kind == "&" and _field(body[0]) == "tcp flags":
            return "tcp flags masked"
        return str(kind)
    return str(left)


def _value(one: object) -> str:
    if isinstance(one, dict):
        if "elem" in one:
            return _value(one["elem"]["val"])
        if "range" in one:
            return "-".join(str(end) for end in one["range"])
        if "prefix" in one:
            return f"{one['prefix']['addr']}/{one['prefix']['len']}"
        raise CannotObserve(f"not understood: the value {json.dumps(one)[:120]}")
    return str(one)


def _nft_ports(found: _Reading, protocol: str, values: list[str], *, inverted: bool) -> None:
    mask = 0
    for value in values:
        mask |= _of_ports(value)
    whole = _of_protocol(protocol) if protocol else PORTS
    found.ports &= whole & ~mask if inverted else whole & mask


def _nft_source_port(found: _Reading, protocol: str) -> None:
    found.ports &= _of_protocol(protocol)
    found.only(Who.OFTEN)


def _nft_flags(found: _Reading, values: list[str], *, inverted: bool) -> None:
    found.ports &= _of_protocol("tcp")
    if ("syn" in values) == inverted:
        found.only(Who.NOBODY)


def _nft_protocols(found: _Reading, values: list[str], inverted: bool) -> None:  # noqa: FBT001
    mask = 0
    for value in values:
        mask |= _of_protocol(value)
    if inverted:
        found.ports &= EVERYTHING & ~(mask & PORTS)
        return
    found.ports &= mask
    if mask == OTHER:
        found.only(Who.SOME)  # of the other protocols these are a few


def _nft_sources(found: _Reading, values: list[str], inverted: bool) -> None:  # noqa: FBT001
    each = [_of_source(value, inverted=inverted) for value in values] or [Who.NOBODY]
    found.only(min(each) if inverted else max(each))


def _nft_destinations(found: _Reading, values: list[str], inverted: bool) -> None:  # noqa: FBT001
    each = [_of_destination(value, inverted=inverted) for value in values] or [Who.NOBODY]
    found.only(min(each) if inverted else max(each))


def _nft_states(found: _Reading, values: list[str], inverted: bool) -> None:  # noqa: FBT001
    if bool({"new", "untracked"} & set(values)) == inverted:
        found.only(Who.NOBODY)


def _nft_other(found: _Reading, values: list[str], inverted: bool) -> None:  # noqa: FBT001
    del values, inverted
    found.ports &= OTHER
    found.only(Who.SOME)


def _nft_some(found: _Reading, values: list[str], inverted: bool) -> None:  # noqa: FBT001
    del values, inverted
    found.only(Who.SOME)
