"""The host lets in only what was agreed.

    - id: firewall-denies-by-default
      check: firewall
      become: true
      with: {allow: [22/tcp, 80/tcp, 443/tcp]}

`allow` are ports (`53/udp`) or ranges (`8000-8010/tcp`). Red when no rules for what comes in are
loaded, when what no rule names is let in all the same (`default_deny: false` accepts that), when a
port that is not in `allow` is open to all, and when one that is in `allow` is refused to everybody.
A port that is open to some addresses only is let in, and is not open to all; what stands in `refuse`
may not even be open to some. Rates are not weighed.

What is loaded is looked at, not what is configured: `iptables-save` and `ip6tables-save`, and
`nft -j list ruleset`; a packet must be accepted by every table. Where ufw is active or firewalld
runs, their own words are taken (`ufw status verbose`, `firewall-cmd --list-all` of the zones that
are active). `engine` asks for one of them: rules of another are no firewall then. IPv6 is looked at
when an interface has an IPv6 address. Ports that are sent on before the input rules (DNAT, as Docker
publishes a container's port) count as let in: neither ufw nor INPUT sees them.

Only packets from outside are followed: interfaces with a default route. It needs root. Rules that
are not understood where they would decide, such as a match of a mark or a country, rules of
DOCKER-USER about a published port that is not in `allow`, and a host on which no tool that knows is
installed are no answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Annotated, Literal

from pydantic import Field

from verifier.checks._firewall import (
    EVERYTHING,
    PORTS,
    Opened,
    Ruleset,
    Tables,
    named,
    ports,
    read_ruleset,
    read_save,
    walk,
)
from verifier.checks._firewall_front import read_firewalld, read_ufw
from verifier.checks.base import Check, CommandResult, Host, Mismatch, ask
from verifier.errors import CannotObserve

_PORT = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?/(tcp|udp)")
_SHOWN = 12
_NO_SUCH_PROGRAM = 127
_ENGINES = ("nft", "iptables-save", "ip6tables-save", "ufw", "firewall-cmd")
_TOOLS = f"for tool in {' '.join(_ENGINES)}; do command -v $tool; done; true"
_PATH = 'export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"; '
_BASES = (("raw", "PREROUTING"), ("mangle", "PREROUTING"), ("mangle", "INPUT"), ("filter", "INPUT"))

PortText = Annotated[str, Field(pattern=r"^\d{1,5}(-\d{1,5})?/(tcp|udp)$")]
Engine = Literal["any", "nftables", "iptables", "ufw", "firewalld"]


@dataclass(frozen=True, slots=True)
class Params:
    allow: tuple[PortText, ...]
    default_deny: bool = True
    engine: Engine = "any"
    refuse: tuple[PortText, ...] = ()

    def __post_init__(self) -> None:
        for name, texts in (("allow", self.allow), ("refuse", self.refuse)):
            for text in texts:
                first, last, _ = _ends(text)
                if not 1 <= first <= last <= 65535:  # noqa: PLR2004  the highest port there is
                    raise ValueError(f"{name}: '{text}' is no port or range of ports")


@dataclass(frozen=True, slots=True)
class Way:
    """What comes in by one family of addresses. `to_all` are the ports that rules open to everybody,
    `passing` those that at least some reach, `sent_on` those that are sent on before the input rules.
    """

    family: str
    lets_in_by_default: bool
    to_all: tuple[str, ...]
    passing: tuple[str, ...]
    sent_on: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Seen:
    """`engine` is whose rules these are; "" when none are loaded. `why_none` says what was seen."""

    engine: str
    ways: tuple[Way, ...] = ()
    why_none: str = ""


def observe(host: Host, want: Params) -> Seen:
    if ask(host, "id -u").strip() != "0":
        raise CannotObserve("only root is told which rules are loaded: use `become: true`")
    tools = {path.rpartition("/")[2] for path in ask(host, _PATH + _TOOLS).split()}
    look = _Look(host, want, frozenset(tools), _outer(host), has_ipv6=_has_ipv6(host))
    if want.engine == "ufw" or (want.engine == "any" and "ufw" in tools):
        seen = look.at_ufw()
        if seen.engine or want.engine == "ufw":
            return seen
    if want.engine == "firewalld" or (want.engine == "any" and "firewall-cmd" in tools):
        seen = look.at_firewalld()
        if seen.engine or want.engine == "firewalld":
            return seen
    return look.at_kernel()


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    if not seen.engine:
        return [Mismatch("firewall", "rules for what comes in", seen.why_none or "none is loaded")]
    allowed = _mask(want.allow)
    found = []
    for way in seen.ways:
        if want.default_deny and way.lets_in_by_default:
            saw = "it is let in: no rule and no policy refuses it"
            found.append(Mismatch(f"{way.family} default", "what no rule names is refused", saw))
        found += [
            Mismatch(f"{way.family} {port}", "not let in", f"open to all ({seen.engine})")
            for port in _some(named(_mask(way.to_all) & ~allowed))
        ]
        found += [
            Mismatch(f"{way.family} {port}", "not let in", "sent on before the input rules (DNAT)")
            for port in _some(named(_mask(way.sent_on) & ~allowed))
        ]
    reached = 0
    for way in seen.ways:
        reached |= _mask(way.passing) | _mask(way.sent_on)
    found += [
        Mismatch(port, "refused to everybody", f"some reach it ({seen.engine})")
        for port in _some(named(_mask(want.refuse) & reached))
    ]
    return found + [
        Mismatch(port, "let in", f"refused ({seen.engine})") for port in named(allowed & ~reached)
    ]


def _impossible(want: Params) -> Params:
    both = want.allow or ("22/tcp",)
    return replace(want, allow=both, refuse=both)


CHECK = Check(Params, observe, judge, impossible=_impossible)


def _ends(text: str) -> tuple[int, int, str]:
    found = _PORT.fullmatch(text)
    if not found:
        raise ValueError(f"'{text}' is no port")
    return int(found[1]), int(found[2] or found[1]), found[3]


def _mask(texts: Iterable[str]) -> int:
    mask = 0
    for text in texts:
        first, last, protocol = _ends(text)
        mask |= ports(protocol, first, last)
    return mask


def _some(names: tuple[str, ...]) -> tuple[str, ...]:
    more = len(names) - _SHOWN
    return (*names[:_SHOWN], f"and {more} more") if more > 0 else names


def _outer(host: Host) -> frozenset[str]:
    found = set()
    for family in ("-4", "-6"):
        answer = host.run(f"{_PATH}ip -o {family} route show default")
        found |= set(re.findall(r"\bdev (\S+)", answer.stdout if answer.rc == 0 else ""))
    return frozenset(found)


def _has_ipv6(host: Host) -> bool:
    answer = host.run("cat /proc/net/if_inet6")
    if answer.rc != 0 and "No such file" not in answer.stderr:
        raise CannotObserve(f"/proc/net/if_inet6: {answer.stderr.strip()[:200]}")
    return any(line.split()[-1] != "lo" for line in answer.stdout.splitlines() if line.strip())


@dataclass(frozen=True, slots=True)
class _Look:
    host: Host
    want: Params
    tools: frozenset[str]
    outer: frozenset[str]
    has_ipv6: bool

    def at_ufw(self) -> Seen:
        answer = self._run("ufw", "ufw status verbose")
        if answer.rc != 0:
            raise CannotObserve(f"`ufw status verbose` ended with {answer.rc}: {_said(answer)}")
        found = read_ufw(answer.stdout, self.outer)
        if not found:
            return Seen("", why_none="ufw is inactive")
        ways = [self._way("IPv4", [found["ipv4"]], self._sent_on("ip"))]
        if self.has_ipv6:
            ways.append(self._way("IPv6", [found["ipv6"]], self._sent_on("ip6")))
        return Seen("ufw", tuple(ways))

    def at_firewalld(self) -> Seen:
        answer = self._run("firewall-cmd", "firewall-cmd --state")
        if "not running" in answer.stdout + answer.stderr:
            return Seen("", why_none="firewalld does not run")
        if answer.rc != 0 or answer.stdout.strip() != "running":
            raise CannotObserve(f"`firewall-cmd --state` says {_said(answer)}")

        def words(command: str, *args: str) -> str:
            return ask(self.host, f"{_PATH}firewall-cmd {command}", *args)

        opened = read_firewalld(words, self.outer)
        ways = [self._way("IPv4", [opened], self._sent_on("ip"))]
        if self.has_ipv6:
            ways.append(self._way("IPv6", [opened], self._sent_on("ip6")))
        return Seen("firewalld", tuple(ways))

    def at_kernel(self) -> Seen:
        if not self.tools & {"nft", "iptables-save"}:
            raise CannotObserve("none of nft, iptables-save, ufw and firewall-cmd is installed")
        needed = {"nftables": "nft", "iptables": "iptables-save"}.get(self.want.engine, "")
        if needed and needed not in self.tools:
            raise CannotObserve(f"{needed} is not installed")
        engines: set[str] = set()
        ways = []
        for family, name in (("ip", "IPv4"), ("ip6", "IPv6"))[: 2 if self.has_ipv6 else 1]:
            opened = self._opened(family, engines)
            ways.append(self._way(name, opened, self._sent_on(family)))
        if not engines or self.want.engine not in ("any", *engines):
            loaded = f"; {', '.join(sorted(engines))} has some" if engines else ""
            asked = "" if self.want.engine == "any" else f" of {self.want.engine}"
            return Seen("", tuple(ways), f"no rules{asked} are loaded{loaded}")
        return Seen(" and ".join(sorted(engines)), tuple(ways))

    def _opened(self, family: str, engines: set[str]) -> list[Opened]:
        """What each base chain lets in; whoever has rules is added to `engines`."""
        tables = self._tables(family)
        opened = [walk({"": ()}, "", accepts=True)]
        for table, chain in _BASES:
            rules = tables.chains.get(table, {}).get(chain)
            if rules is None:
                continue
            accepts = tables.policies[table, chain] != "DROP"
            if rules or not accepts:
                engines.add("iptables")
            opened.append(walk(tables.chains[table], chain, accepts=accepts))
        for base in self._ruleset(family).bases:
            if base.chains[base.chain] or not base.accepts:
                engines.add("nftables")
            opened.append(walk(base.chains, base.chain, accepts=base.accepts))
        return opened

    def _way(self, name: str, opened: list[Opened], sent_on: int) -> Way:
        default = to_all = passing = EVERYTHING
        for one in opened:
            default &= one.undecided
            to_all &= one.to_all | one.undecided
            passing &= one.passing
        to_all &= PORTS & ~default
        return Way(name, bool(default), named(to_all), named(passing & PORTS), named(sent_on))

    def _sent_on(self, family: str) -> int:
        """Ports whose packets go elsewhere before the input rules see them."""
        tables, ruleset = self._tables(family), self._ruleset(family)
        opened = [walk(base.chains, base.chain, accepts=False) for base in ruleset.published]
        if "PREROUTING" in tables.chains.get("nat", {}):
            opened.append(walk(tables.chains["nat"], "PREROUTING", accepts=False))
        sent = 0
        for one in opened:
            sent |= (one.to_all | one.undecided) & PORTS
        guards = tables.chains.get("filter", {}).get("DOCKER-USER", ())
        odd = named(sent & ~_mask(self.want.allow))
        if odd and any(rule.verdict not in ("", "return") for rule in guards):
            raise CannotObserve(f"rules of DOCKER-USER decide about {odd[0]}: not understood")
        return sent

    def _tables(self, family: str) -> Tables:
        tool = "iptables-save" if family == "ip" else "ip6tables-save"
        if tool not in self.tools:
            return Tables({}, {})
        answer = self.host.run(_PATH + tool)
        if answer.rc != 0:
            raise CannotObserve(f"`{tool}` ended with {answer.rc}: {_said(answer)}")
        if "legacy tables present" in answer.stdout + answer.stderr:
            raise CannotObserve("there are rules of iptables-legacy beside those of iptables")
        return read_save(answer.stdout, self.outer)

    def _ruleset(self, family: str) -> Ruleset:
        if "nft" not in self.tools:
            return Ruleset((), ())
        answer = self.host.run(_PATH + "nft -j list ruleset")
        if answer.rc != 0:
            raise CannotObserve(f"`nft -j list ruleset` ended with {answer.rc}: {_said(answer)}")
        return read_ruleset(answer.stdout, family, self.outer, self._spoken_for(family))

    def _spoken_for(self, family: str) -> tuple[str, ...]:
        """Tables of nftables that iptables has made, and tells more about."""
        tool = "iptables-save" if family == "ip" else "ip6tables-save"
        if tool not in self.tools:
            return ()
        text = ask(self.host, _PATH + tool)
        return tuple(re.findall(r"^\*(\S+)", text, re.MULTILINE)) if "(nf_tables)" in text else ()

    def _run(self, tool: str, command: str) -> CommandResult:
        if tool not in self.tools:
            raise CannotObserve(f"{tool} is not installed")
        return self.host.run(_PATH + command)


def _said(answer: CommandResult) -> str:
    return (answer.stderr.strip() or answer.stdout.strip() or "no output").splitlines()[-1][:300]
