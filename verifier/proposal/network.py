"""Lines about what is reached over the network: addresses, routes, ports, names, certificates."""

from __future__ import annotations

import re

from verifier.checklist.markdown import plain
from verifier.document import from_json
from verifier.errors import DocumentError
from verifier.proposal.concepts import mentions
from verifier.proposal.evidence import Address
from verifier.proposal.limits import limits_in
from verifier.proposal.measured import latency
from verifier.proposal.proposal import REACH, STACK, Proposal, Recipe, bound, by_person
from verifier.proposal.subject import Subject

_PORTS = {
    "redis": 6379,
    "postgres": 5432,
    "postgresql": 5432,
    "mysql": 3306,
    "mariadb": 3306,
    "mongo": 27017,
    "mongodb": 27017,
    "elasticsearch": 9200,
    "rabbitmq": 5672,
    "memcached": 11211,
}


_HEADERS = {
    "content security policy": "Content-Security-Policy",
    "content-security-policy": "Content-Security-Policy",
    "csp": "Content-Security-Policy",
    "hsts": "Strict-Transport-Security",
    "strict-transport-security": "Strict-Transport-Security",
    "x-frame-options": "X-Frame-Options",
    "x-content-type-options": "X-Content-Type-Options",
    "referrer policy": "Referrer-Policy",
    "referrer-policy": "Referrer-Policy",
    "permissions-policy": "Permissions-Policy",
}


_ROUTE_ENDS = re.compile(r"\{[^}]*\}|:\w+|\*")


_NOUNS = 4  # words of a name


def address(subject: Subject) -> Proposal | None:
    """A URL that the line is about: not one in brackets that says where to read more."""
    if not subject.evidence.addresses or subject.evidence.begins_with == "key":
        return None
    named = re.match(
        r"\W*https?://[^\s`]+[`*]*\s*(?:[-–—:→]|$)", subject.line.title
    )  # the line is its name
    if _is_only_an_action(subject) and not named:
        return None
    about = re.sub(r"[（(][^()（）]*[)）]", " ", subject.line.title)
    if "://" not in about and not subject.evidence.commands:
        return None
    named = (
        named
        or re.search(r"[:：]\s*[`*]*https?://\S+$", subject.line.title)
        or re.match(
            r"(?:open|visit|browse|access)\s+(?:\w+\s+){0,2}`?https?://",
            plain(subject.line.title),
            re.IGNORECASE,
        )
    )
    if (
        subject.evidence.begins_with != "url"
        and not named
        and not (
            subject.says("responds")
            or subject.says("reachable")
            or subject.says("health")
            or (subject.says("verify") and len(subject.title.split()) < 6)  # noqa: PLR2004  nothing else is said
        )
    ):
        return None
    address = next(
        (a for a in subject.evidence.addresses if a.is_whole), subject.evidence.addresses[0]
    )
    if address.text.lower().startswith("ws"):
        return None
    if subject.says("redirect") and address.is_whole and not address.is_local:
        return bound(
            subject,
            "https_redirect",
            {"url": f"http://{address.host}/"},
            "plain HTTP that must lead to HTTPS",
            span=address.text,
            vantage="controller",
        )
    if subject.says("redirect"):
        return None  # the redirect is what is asked for
    return http_of(subject, address)


def http_of(subject: Subject, address: Address) -> Proposal:
    if subject.says("certificate_word") and address.is_whole and not address.is_local:
        given_name: dict[str, object] = {"domain": address.host}
        return bound(
            subject,
            "certificate",
            given_name,
            "a certificate that must hold",
            span=address.text,
            vantage="controller",
        )
    url = address.text if address.is_whole else "{{ base_url }}" + address.path
    given: dict[str, object] = {"url": url}
    given.update(_expected(subject))
    status = re.search(
        r"(?:http|status|returns?|→|->|응답|返回|=>|:)\D{0,12}\b([2345]\d\d)\b", subject.title
    )
    if status and status.group(1) != "200":
        given["status"] = int(status.group(1))
    return bound(
        subject,
        "http",
        given,
        "an address that must answer",
        () if address.is_whole else ("base_url",),
        span=address.text,
        vantage="host" if address.is_local else "controller",
    )


def route(subject: Subject) -> Proposal | None:
    if not subject.evidence.routes or subject.says("says_ui_strong"):
        return None
    verb, route = subject.evidence.routes[0]
    if not any(
        subject.near(g)
        for g in ("endpoint", "website", "responds", "reachable", "health", "api_docs")
    ):
        return None
    if re.search(r"(?:^|/)metrics/?$", route) and subject.says("monitoring"):
        return bound(
            subject,
            "prometheus_metrics",
            {"url": "{{ metrics_url }}"},
            "series that must be measured",
            ("metrics_url",),
            span=route,
            vantage="controller",
        )
    if subject.says("monitoring") and not subject.says("endpoint"):
        return None
    if any(mentions(group, plain(subject.line.title)) for group in ("rate_limit", "cors", "csrf")):
        return None
    limits = [limit for limit in limits_in(subject.title) if limit.unit == "ms"]
    if limits:
        return latency(subject, limits[0], route)
    missing = ["base_url"]
    if _ROUTE_ENDS.search(route):
        missing.append("path")
        route = "{{ path }}"
    given: dict[str, object] = {"url": "{{ base_url }}" + route, **_expected(subject)}
    if verb not in ("GET", "HEAD"):
        return by_person(
            subject,
            f"{verb} {route} changes something; a check only reads",
            role="tester",
            span=route,
        )
    return bound(
        subject,
        "http",
        given,
        "a route that must answer",
        tuple(missing),
        span=route,
        vantage="controller",
    )


_STATUS = re.compile(
    r"(?:returns?|responds?(?: with)?|answers?(?: with)?|→|->|=>|반환|응답|返回|返す|返る)\s*"
    r"(?:an? |http |status |코드 )*\(?`?([2345]\d\d)\b",
    re.IGNORECASE,
)
_REPORTS = re.compile(
    r"(?:returns?|reports?|shows?|contains?|says|displays?|반환|표시|返す|返回|显示)\s+`?\"?(v?\d+\.\d+(?:\.\d+)*)",
    re.IGNORECASE,
)


def _expected(subject: Subject) -> dict[str, object]:
    """What the line says the answer must be: a status, a version, values of a JSON object."""
    title = plain(subject.line.title)
    found: dict[str, object] = {}
    status = _STATUS.search(title)
    if status and status.group(1) != "200":
        found["status"] = int(status.group(1))
    version = _REPORTS.search(title)
    if version:
        found["contains"] = [version.group(1)]
    for span in subject.evidence.spans:
        values = _json_of(span)
        if values:
            found["json"] = values
    return found


def _json_of(span: str) -> dict[str, object]:
    try:
        data = from_json(span) if span.startswith("{") else None
    except DocumentError:
        return {}
    scalars = (str, int, float, bool)
    return (
        {k: v for k, v in data.items() if isinstance(v, scalars)} if isinstance(data, dict) else {}
    )


def status(subject: Subject) -> Proposal | None:
    """`... returns 403`: a status that some address must answer with."""
    found = _STATUS.search(plain(subject.line.title))
    if not found or subject.evidence.addresses or subject.evidence.routes:
        return None
    given: dict[str, object] = {"url": "{{ base_url }}{{ path }}"}
    if found.group(1) != "200":
        given["status"] = int(found.group(1))
    return bound(
        subject,
        "http",
        given,
        "an address that must answer so",
        ("base_url", "path"),
        span=found.group(0),
        vantage="controller",
    )


def port(subject: Subject) -> Proposal | None:
    ports = subject.evidence.ports
    if not ports or subject.evidence.addresses or subject.says("firewall"):
        return None
    span = ", ".join(map(str, ports))
    numbers: dict[str, object] = (
        {"number": ports[0]} if len(ports) == 1 else {"numbers": list(ports)}
    )
    if subject.says("closed") or (subject.says("exposed") and not subject.says("port_open_word")):
        return bound(
            subject,
            "port",
            {**numbers, "open": False, "connect": REACH},
            "ports that must be closed to strangers",
            span=span,
            vantage="controller",
        )
    if subject.says("free") and not subject.says("listening"):
        return bound(
            subject, "port", {**numbers, "open": False}, "ports that must be free", span=span
        )
    stated = re.search(
        r"(?:port|포트|ポート|端口|puerto|porta)\s*(?:is|est|es|é|=|:|は|为)\s*\d", subject.title
    )
    if not stated and not any(subject.says(g) for g in ("listening", "connection", "running")):
        return None
    if subject.says("only_word"):
        return bound(
            subject,
            "listening_ports",
            {"allow": [{"number": number} for number in ports]},
            "nothing but these ports may be open",
            span=span,
            become=True,
        )
    outside = subject.says("outside")
    given: dict[str, object] = {**numbers, **({"connect": REACH} if outside else {})}
    return bound(
        subject,
        "port",
        given,
        "ports that must be open",
        span=span,
        vantage="controller" if outside else "host",
    )


def health(subject: Subject) -> Proposal:
    ours = subject.around.speaks_of_compose
    if (
        subject.says("service")
        and not subject.says("endpoint_word")
        and not subject.evidence.routes
    ):
        return bound(
            subject, "container_health", {"stack": STACK}, "containers that must be healthy"
        )
    if (
        not subject.says("endpoint")
        and not subject.says("responds_strictly")
        and (subject.near("container") or ours)
    ):
        if subject.says("configured") and not subject.says("pass"):
            return bound(
                subject,
                "compose_healthchecks",
                {"stack": STACK},
                "a health check for every service",
            )
        if subject.says("pass") or subject.near("container"):
            return bound(
                subject, "container_health", {"stack": STACK}, "containers that must be healthy"
            )
    routes = subject.around.health_routes
    path = routes[0] if routes else "{{ path }}"
    missing = ("base_url",) if routes else ("base_url", "path")
    return bound(
        subject,
        "http",
        {"url": "{{ base_url }}" + path},
        "a health endpoint that must answer",
        missing,
        vantage="controller",
    )


def page_of(why: str) -> Recipe:
    def recipe(subject: Subject) -> Proposal:
        limits = [x for x in limits_in(plain(subject.line.title)) if x.unit == "ms"]
        if limits:
            return latency(subject, limits[0], "/" if subject.says("home") else "")
        routes = [r for v, r in subject.evidence.routes if v in ("GET", "HEAD")]
        home = subject.says("home")
        path = routes[0] if routes else "/" if home else "{{ path }}"
        missing = ("base_url",) if routes or home else ("base_url", "path")
        return bound(
            subject, "http", {"url": "{{ base_url }}" + path}, why, missing, vantage="controller"
        )

    return recipe


def names_an_api(subject: Subject) -> Proposal | None:
    """`User API`: the noun alone, in a list of things that must work."""
    if (
        not re.search(r"(?<![\w])apis?$|엔드포인트$|エンドポイント$|接口$", subject.title)
        or len(subject.title.split()) > _NOUNS
    ):
        return None
    if (
        subject.near("document")
        or subject.says("monitoring")
        or subject.says("third_party")
        or subject.says("decide")
    ):
        return None
    return page_of("an interface that must answer")(subject)


def api(subject: Subject) -> Proposal | None:
    if subject.near("document") and not subject.says("responds_strictly"):
        return None
    return page_of("an interface that must answer")(subject)


def one_header(subject: Subject) -> Proposal:
    named = [
        name
        for words, name in _HEADERS.items()
        if re.search(rf"(?<!\w){re.escape(words)}(?!\w)", subject.title)
    ]
    return bound(
        subject,
        "http_header",
        {"url": "https://{{ domain }}/", "wants": dict.fromkeys(dict.fromkeys(named), "")},
        "a header that every answer must carry",
        ("domain",),
        vantage="controller",
    )


_DAYS = re.compile(
    r"(\d{1,3})\s*(?:days?|일|日|天|tage|días|dias|jours|giorni|gün|ngày|дн\w*|hari)(?![a-z])",
    re.IGNORECASE,
)


def certificate(subject: Subject) -> Proposal:
    """A certificate, and how many days it must still hold where the line says so."""
    domains = subject.evidence.domains
    given: dict[str, object] = {"domain": domains[0] if domains else "{{ domain }}"}
    days = _DAYS.search(plain(subject.line.title))
    if days:
        given["min_days"] = int(days.group(1))
    return bound(
        subject,
        "certificate",
        given,
        "a certificate that must hold",
        () if domains else ("domain",),
        vantage="controller",
    )


def renewal(subject: Subject) -> Proposal:
    """That it renews itself; with a number of days, that it has not run out."""
    if _DAYS.search(plain(subject.line.title)):
        return certificate(subject)
    return bound(
        subject,
        "cron_job",
        {"matches": "certbot|acme|lego|dehydrated"},
        "a renewal that must be scheduled",
    )


def https_redirect(subject: Subject) -> Proposal:
    domain = subject.evidence.domains[0] if subject.evidence.domains else "{{ domain }}"
    return bound(
        subject,
        "https_redirect",
        {"url": f"http://{domain}/"},
        "plain HTTP that must lead to HTTPS",
        () if subject.evidence.domains else ("domain",),
        vantage="controller",
    )


def dns(subject: Subject) -> Proposal | None:
    domains = subject.evidence.domains
    given: dict[str, object] = {"name": domains[0] if domains else "{{ domain }}"}
    if subject.evidence.ips:
        given["addresses"] = list(subject.evidence.ips)
    return bound(
        subject,
        "dns",
        given,
        "a name that must resolve",
        () if domains else ("domain",),
        vantage="controller",
    )


def exposed_port(subject: Subject) -> Proposal:
    service = next((s for s in _PORTS if re.search(rf"(?<!\w){s}(?!\w)", subject.title)), "")
    if service or (subject.says("database") and not subject.says("all")):
        if not service:
            return bound(
                subject,
                "port",
                {"number": "{{ port }}", "open": False, "connect": REACH},
                "a database port that must be closed to strangers",
                ("port",),
                vantage="controller",
            )
        return bound(
            subject,
            "port",
            {"number": _PORTS[service], "open": False, "connect": REACH},
            f"the port of {service} must be closed to strangers",
            span=service,
            vantage="controller",
        )
    return bound(
        subject,
        "listening_ports",
        {"allow": "{{ open_ports }}"},
        "nothing but these ports may be open",
        ("open_ports",),
        become=True,
    )


def _is_only_an_action(subject: Subject) -> bool:
    return subject.says("handled_by_hand")
