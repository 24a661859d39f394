"""What ufw and firewalld say about what they let in, read into the same facts as loaded rules. A
line that is not understood is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from verifier.checks._firewall import EVERYTHING, PORTS, Opened, Rule, Who, ports, walk
from verifier.errors import CannotObserve

_ROW = re.compile(
    r"^(?P<to>\S.*?)\s+(?P<verdict>ALLOW|DENY|REJECT|LIMIT)(?P<way> IN| OUT| FWD|)\s{2,}"
    r"(?P<source>\S.*?)\s*(?P<log>\(log(-all)?\))?\s*(#.*)?$"
)
_TO = re.compile(
    r"^(?:(?P<address>[0-9a-fA-F.:/]*[.:][0-9a-fA-F.:/]*)\s+)?"
    r"(?P<port>Anywhere|[\d,:]+(?:/(?:tcp|udp))?)(?: \((?!v6\))[^()]+(?: \(v6\))?\))?(?: \(v6\))?"
    r"(?: on (?P<interface>\S+))?(?: \(v6\))?$"
)


def read_ufw(text: str, outer: frozenset[str]) -> dict[str, Opened]:
    """`ufw status verbose`, for each family; empty when ufw is inactive."""
    status = re.search(r"^Status: (\w+)", text, re.MULTILINE)
    if status and status[1] == "inactive":
        return {}
    default = re.search(r"^Default: (\w+) \(incoming\)", text, re.MULTILINE)
    if not status or status[1] != "active" or not default:
        raise CannotObserve("`ufw status verbose` is not understood")
    _, line, table = text.partition("--                         ------")
    rows = [one for one in table.partition("\n")[2].splitlines() if one.strip()] if line else []
    found = {}
    for family in ("ipv4", "ipv6"):
        rules = tuple(rule for row in rows for rule in _ufw_rule(row, family, outer))
        found[family] = walk({"in": rules}, "in", accepts=default[1] == "allow")
    return found


def _ufw_rule(row: str, family: str, outer: frozenset[str]) -> tuple[Rule, ...]:
    found = _ROW.match(row)
    to = _TO.match(found["to"]) if found else None
    if found and found["way"] in (" OUT", " FWD"):
        return ()
    if not found or not to:
        raise CannotObserve(f"ufw says what is not understood: '{row.strip()[:160]}'")
    is_v6 = "(v6)" in row or bool(
        re.search(r"[0-9a-f]*:[0-9a-f]*:", to["address"] or found["source"])
    )
    if is_v6 != (family == "ipv6"):
        return ()
    who = Who.ALL
    if not found["source"].startswith("Anywhere"):
        who = Who.SOME
    elif re.search(r"Anywhere (?!\(v6\))", found["source"]) or to["address"]:
        who = Who.OFTEN  # from any address, but of one port or to one address
    if to["interface"]:
        if not outer:
            raise CannotObserve(f"no default route tells whether {to['interface']} leads outside")
        who = min(who, Who.OFTEN if to["interface"] in outer else Who.SOME)
        who = Who.NOBODY if to["interface"] == "lo" else who
    verdict = "accept" if found["verdict"] in ("ALLOW", "LIMIT") else "drop"
    return (Rule(row.strip(), verdict, "", _ports(to["port"]), who),)


def _ports(text: str) -> int:
    if text == "Anywhere":
        return EVERYTHING
    numbers, _, protocol = text.partition("/")
    mask = 0
    for part in numbers.split(","):
        first, _, last = part.partition(":")
        for each in (protocol,) if protocol else ("tcp", "udp"):
            mask |= ports(each, int(first), int(last or first))
    return mask


def read_firewalld(ask: Callable[..., str], outer: frozenset[str]) -> Opened:
    """The zones packets from outside come to. `ask` runs `firewall-cmd` with these words."""
    active = _zones(ask("--get-active-zones"))
    _refuse_policies(ask)
    default = ask("--get-default-zone").strip()
    opened = Opened()
    taken = {name for interfaces, _ in active.values() for name in interfaces}
    if not outer or outer - taken:
        active.setdefault(default, ((), ()))
    for zone, (interfaces, sources) in active.items():
        is_outside = bool(set(interfaces) & outer) or (zone == default and bool(outer - taken))
        is_outside = is_outside or (not outer and zone == default)
        if not is_outside and not sources and not interfaces:
            continue
        inside = _zone(ask, zone)
        if is_outside:
            opened.to_all |= inside.to_all
            opened.to_some |= inside.to_some
            opened.undecided |= inside.undecided
        elif sources:
            opened.to_some |= inside.passing
    return opened


def _zones(text: str) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    found: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {}
    zone = ""
    for line in text.splitlines():
        name, colon, value = line.strip().partition(":")
        if line and not line[0].isspace():
            zone = line.split()[0]
            found[zone] = ((), ())
        elif colon and name in ("interfaces", "sources") and zone:
            interfaces, sources = found[zone]
            words = tuple(value.split())
            found[zone] = (words, sources) if name == "interfaces" else (interfaces, words)
        elif line.strip():
            raise CannotObserve(f"firewall-cmd says what is not understood: '{line.strip()[:160]}'")
    return found


def _refuse_policies(ask: Callable[..., str]) -> None:
    """Policies to the host itself come before zones; the one every installation has is harmless."""
    text = ask("--get-active-policies")
    policy = ""
    for line in text.splitlines():
        if line and not line[0].isspace():
            policy = line.split()[0]
        elif re.match(r"\s+egress-zones: .*\b(HOST|ANY)\b", line) and policy != "allow-host-ipv6":
            raise CannotObserve(f"the policy {policy} of firewalld is not understood")


def _zone(ask: Callable[..., str], zone: str) -> Opened:
    text = ask("--zone=%s --list-all", zone)
    pairs = [line.partition(":") for line in text.splitlines()[1:] if not line.startswith("\t")]
    said = {name.strip(): value.strip() for name, colon, value in pairs if colon}
    if not {"target", "services", "ports"} <= said.keys():
        raise CannotObserve(f"firewall-cmd says about zone {zone} what is not understood")
    opened = Opened()
    if said["target"] == "ACCEPT":
        opened.undecided = EVERYTHING
    if said.get("source-ports"):
        raise CannotObserve(f"zone {zone} has source-ports, which are not understood")
    if said.get("forward-ports"):
        raise CannotObserve(f"zone {zone} has forward-ports, which are not understood")
    for protocol in said.get("protocols", "").split():
        if protocol in ("tcp", "udp"):
            opened.to_all |= ports(protocol, 0, 65535)
    opened.to_all |= _listed(said["ports"])
    for service in said["services"].split():
        _open(opened, _service(ask, service), is_for_some=False)
    for rule in (line.strip() for line in text.splitlines() if line.strip().startswith("rule ")):
        _rich(ask, rule, opened)
    return opened


def _service(ask: Callable[..., str], service: str) -> tuple[int, bool]:
    """Its ports, and whether it is for some addresses of the host only."""
    text = ask("--info-service=%s", service)
    found = re.search(r"^\s+ports:(.*)$", text, re.MULTILINE)
    if not found or re.search(r"^\s+(protocols|source-ports|includes): *\S", text, re.MULTILINE):
        raise CannotObserve(f"the service {service} of firewalld is not understood")
    return _listed(found[1]), bool(re.search(r"^\s+destination: *\S", text, re.MULTILINE))


def _open(opened: Opened, service: tuple[int, bool], *, is_for_some: bool) -> None:
    mask, to_an_address = service
    if is_for_some or to_an_address:
        opened.to_some |= mask
    else:
        opened.to_all |= mask


def _listed(text: str) -> int:
    mask = 0
    for word in text.split():
        found = re.fullmatch(r"(\d+)(?:-(\d+))?/(\w+)", word)
        if not found:
            raise CannotObserve(f"firewalld has a port that is not understood: '{word[:60]}'")
        if found[3] in ("tcp", "udp"):
            mask |= ports(found[3], int(found[1]), int(found[2] or found[1]))
    return mask


def _rich(ask: Callable[..., str], rule: str, opened: Opened) -> None:
    words = re.sub(r' (log|audit|limit)( \w+="[^"]*")*', "", rule)
    port = re.search(r' port port="(\d+(?:-\d+)?)" protocol="(\w+)"', words)
    service = re.search(r' service name="([^"]+)"', words)
    is_known = re.fullmatch(
        r'rule( priority="[^"]*")?( family="ipv[46]")?( source( NOT)? \w+="[^"]+")?'
        r'( destination address="[^"]+")?( port port="[^"]+" protocol="\w+"| service name="[^"]+"'
        r'| protocol value="[^"]+"| icmp-(?:type|block) name="[^"]+")? (accept|drop|reject.*)',
        words,
    )
    if not is_known or is_known[4]:
        raise CannotObserve(f"a rich rule of firewalld is not understood: '{rule[:160]}'")
    if not words.endswith(" accept"):
        if is_known[3]:
            return  # it refuses some
        raise CannotObserve(f"a rich rule of firewalld is not understood: '{rule[:160]}'")
    if port:
        opens = (_listed(f"{port[1]}/{port[2]}"), False)
    elif service:
        opens = _service(ask, service[1])
    else:
        is_other = re.search(r' protocol value="(?!tcp|udp|6"|17")| icmp-', words)
        opens = (0 if is_other else PORTS, False)
    _open(opened, opens, is_for_some=bool(is_known[3]))
