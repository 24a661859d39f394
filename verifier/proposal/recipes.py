"""From what a line means to how it could be answered. First who cannot be asked by a program at all,
then the literal things a line names (a command that only reads, an address, a setting, a file, a
port, a version, a limit), then the concept it speaks of, then a person. A recipe binds only what
tests what the line says; what it cannot know it names as missing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Literal

from verifier.checklist.binding import Every
from verifier.checklist.commands import Command, Effect
from verifier.checklist.markdown import plain
from verifier.checklist.vocabulary import speaks_of
from verifier.proposal.concepts import mentions
from verifier.proposal.evidence import Address, Version, is_placeholder
from verifier.proposal.known_commands import check_of
from verifier.proposal.limits import Limit, limits_in
from verifier.proposal.proposal import Proposal, Subject, concept_text, understood

Recipe = Callable[[Subject], Proposal | None]

_PORTS = {
    "redis": 6379, "postgres": 5432, "postgresql": 5432, "mysql": 3306, "mariadb": 3306, "mongo": 27017,
    "mongodb": 27017, "elasticsearch": 9200, "rabbitmq": 5672, "memcached": 11211,
}  # fmt: skip
_PROGRAMS = {
    "node.js": "node", "nodejs": "node", "python": "python3", "postgresql": "psql", "postgres": "psql",
    "golang": "go", "rust": "rustc", "jdk": "java", "openjdk": "java", ".net": "dotnet", "github cli": "gh",
    "aws cli": "aws", "docker compose": "docker-compose", "redis": "redis-server", "apache": "apache2",
    "mongodb": "mongod", "maven": "mvn", "sqlite": "sqlite3", "supervisor": "supervisord",
}  # fmt: skip
_VERSION_WORDS = {"java": ("-version",), "nginx": ("-v",), "go": ("version",), "kubectl": ("version", "--client"), "haproxy": ("-v",)}
_HEADERS = {
    "content security policy": "Content-Security-Policy", "content-security-policy": "Content-Security-Policy",
    "csp": "Content-Security-Policy", "hsts": "Strict-Transport-Security",
    "strict-transport-security": "Strict-Transport-Security", "x-frame-options": "X-Frame-Options",
    "x-content-type-options": "X-Content-Type-Options", "referrer policy": "Referrer-Policy",
    "referrer-policy": "Referrer-Policy", "permissions-policy": "Permissions-Policy",
}  # fmt: skip
_SLOWEST_MS = 60_000  # what takes longer is no answer of a service
_LONGEST = 140  # a clause longer than this says more than one thing
_WHERE = "{{ deploy_root }}"
_STACK = "{{ compose_stack }}"
_PROJECT = "{{ compose_stack.project }}"
_REACH = "{{ ansible_host | default(inventory_hostname) }}"
_ROUTE_ENDS = re.compile(r"\{[^}]*\}|:\w+|\*")


def answer_of(subject: Subject) -> Proposal:
    """The Proposal for one line; a person's answer when nothing better is right."""
    for recipe in (_no_gate, _field, _duty_or_level, _choice, _signed, _way_back, *_LITERAL, _by_concept, _names_an_api, _by_its_parent):
        proposal = recipe(subject)
        if proposal:
            return _at_its_place(subject, proposal)
    return _at_its_place(
        subject, _person(subject, "nothing in the line can be looked at by a program", role="operator")
    )


# -- lines that are no technical matter ---------------------------------------------------------------


def _no_gate(subject: Subject) -> Proposal | None:
    if subject.line.kind in ("bullet", "numbered") and not _is_statement(subject.title):
        return Proposal(subject.line, "not_a_gate", reason="says nothing that could be true or false")
    if any(_heading_says(subject, "not_now")):
        return Proposal(
            subject.line,
            "not_a_gate",
            reason="stands in a part about what comes later",
            span=next(_heading_says(subject, "not_now")),
        )
    return None


def _field(subject: Subject) -> Proposal | None:
    blank = re.search(r"_{3,}|(?:\\_){3,}|\.{6,}|…{2,}|\[\s{2,}\]|(?:\\?\*){4,}", subject.line.title)
    if subject.line.kind != "field" and not blank:
        return None
    return _person(subject, "a blank that a person fills in", role=_role(subject), span=subject.title[:60])


def _duty_or_level(subject: Subject) -> Proposal | None:
    if subject.line.kind == "duty":
        return _person(subject, "what is done at once in an incident", role="operator", advisory=True)
    if subject.line.kind == "level":
        return _person(subject, "who is called, and when", role="operator", advisory=True)
    return None


def _choice(subject: Subject) -> Proposal | None:
    """One of several: ticking it chooses, and nothing is true or false about the host."""
    last = plain(subject.line.path[-1]) if subject.line.path else ""
    options = re.match(r"\W*(?:option|choose|选项|选择|オプション \w:|옵션 \w)\b", last, re.IGNORECASE)
    if options and not (subject.evidence.commands or subject.evidence.files):
        return _person(subject, "a choice that a person makes", role="operator", span=last, advisory=True)
    return None


def _signed(subject: Subject) -> Proposal | None:
    """Below a heading about approval or telling people, a line is somebody's word."""
    if not subject.line.path[1:]:
        return None
    last = subject.line.path[-1]
    if mentions("signoff_heading", last) and not (subject.evidence.commands or subject.evidence.addresses):
        return _person(subject, "somebody's word", span=plain(last))
    return None


def _way_back(subject: Subject) -> Proposal | None:
    if re.match(r"\W*rollback\b.*\bif\b", plain(subject.line.title), re.IGNORECASE):
        return _person(subject, "a way back that is walked only when it is needed", role="operator", advisory=True)
    return None


# -- literal evidence ---------------------------------------------------------------------------------


def _own_command(subject: Subject) -> Proposal | None:
    command = subject.evidence.own_command
    if command is None:
        return None
    span = command.text
    if subject.says("rollback") and command.effect is not Effect.READ:
        return _person(subject, "a way back that is walked only when it is needed", role="operator", span=span)
    others = {c.text for c in subject.evidence.commands} - {command.text}
    if others and not all(c.effect in (Effect.BUILD, Effect.WRITE, Effect.MIGRATE, Effect.DESTROY) for c in subject.evidence.commands):
        meant = _by_concept(subject)
        if meant and meant.kind in ("check", "needs_value"):
            return meant
        return Proposal(subject.line, "review", reason="names several commands; one line can be answered by one", span=span)
    known = check_of(command, subject)
    if known:
        return replace(known, span=span)
    if command.effect is Effect.TEST:
        return _tests(subject, command)
    if command.effect in (Effect.BUILD, Effect.WRITE, Effect.MIGRATE, Effect.DESTROY):
        return _step(subject, command)
    why = {
        Effect.ENDLESS: "its command never ends by itself, or waits for a person",
        Effect.READ: "its command only reads, but what it should say is not written here",
    }.get(command.effect, "it is not known whether its command only reads")
    return Proposal(subject.line, "review", reason=why, span=span)


def _step(subject: Subject, command: Command) -> Proposal:
    what = {
        Effect.BUILD: "builds something",
        Effect.MIGRATE: "changes the database",
        Effect.DESTROY: "takes something away",
    }.get(command.effect, "changes something")
    return Proposal(
        subject.line,
        "step",
        reason=f"its command {what}: it is done by a deployment, not looked at",
        span=command.text,
        step=command.text,
    )


def _tests(subject: Subject, command: Command | None) -> Proposal:
    given: dict[str, object] = {"command": list(command.words) if command else "{{ command }}"}
    limit = _first(subject, "%")
    if limit and not limit.is_upper:
        given["min_coverage"] = limit.value
    return _bound(
        subject, "test_run", given, "a test suite that must really have run", command is None and ("command",),
        vantage="controller",
    )  # fmt: skip


def _address(subject: Subject) -> Proposal | None:
    """A URL that the line is about: not one in brackets that says where to read more."""
    if not subject.evidence.addresses or subject.evidence.begins_with == "key":
        return None
    named = re.match(r"\W*https?://[^\s`]+[`*]*\s*(?:[-–—:→]|$)", subject.line.title)  # the line is its name
    if _is_only_an_action(subject) and not named:
        return None
    about = re.sub(r"[（(][^()（）]*[)）]", " ", subject.line.title)
    if "://" not in about and not subject.evidence.commands:
        return None
    named = named or re.search(r"[:：]\s*[`*]*https?://\S+$", subject.line.title) or re.match(
        r"(?:open|visit|browse|access)\s+(?:\w+\s+){0,2}`?https?://", plain(subject.line.title), re.IGNORECASE
    )
    if subject.evidence.begins_with != "url" and not named and not (
        subject.says("responds")
        or subject.says("reachable")
        or subject.says("health")
        or (subject.says("verify") and len(subject.title.split()) < 6)  # noqa: PLR2004  nothing else is said
    ):
        return None
    address = next((a for a in subject.evidence.addresses if a.is_whole), subject.evidence.addresses[0])
    if address.text.lower().startswith("ws"):
        return None
    if subject.says("ssl") and subject.says("redirect"):
        return None  # the redirect is what is asked for
    return _http(subject, address)


def _http(subject: Subject, address: Address) -> Proposal:
    if subject.says("certificate_word") and address.is_whole and not address.is_local:
        given_name: dict[str, object] = {"domain": address.host}
        return _bound(
            subject, "certificate", given_name, "a certificate that must hold", span=address.text, vantage="controller"
        )
    url = address.text if address.is_whole else "{{ base_url }}" + address.path
    given: dict[str, object] = {"url": url}
    status = re.search(r"(?:http|status|returns?|→|->|응답|返回|=>|:)\D{0,12}\b([2345]\d\d)\b", subject.title)
    if status and status.group(1) != "200":
        given["status"] = int(status.group(1))
    return _bound(
        subject, "http", given, "an address that must answer", not address.is_whole and ("base_url",),
        span=address.text, vantage="host" if address.is_local else "controller",
    )  # fmt: skip


def _route(subject: Subject) -> Proposal | None:
    if not subject.evidence.routes or subject.says("says_ui_strong"):
        return None
    verb, route = subject.evidence.routes[0]
    if not any(subject.near(g) for g in ("endpoint", "website", "responds", "reachable", "health", "api_docs")):
        return None
    if re.search(r"(?:^|/)metrics/?$", route) and subject.says("monitoring"):
        return _bound(
            subject, "prometheus_metrics", {"url": "{{ metrics_url }}"}, "series that must be measured", ("metrics_url",), span=route,
            vantage="controller",
        )  # fmt: skip
    if subject.says("monitoring") and not subject.says("endpoint"):
        return None
    if subject.says("rate_limit") or subject.says("cors") or subject.says("csrf"):
        return None
    limits = [limit for limit in limits_in(subject.title) if limit.unit == "ms"]
    if limits:
        return _latency(subject, limits[0], route)
    missing = ["base_url"]
    if _ROUTE_ENDS.search(route):
        missing.append("path")
        route = "{{ path }}"
    given: dict[str, object] = {"url": "{{ base_url }}" + route}
    if verb not in ("GET", "HEAD"):
        return _person(
            subject, f"{verb} {route} changes something; a check only reads", role="tester", span=route
        )
    return _bound(
        subject, "http", given, "a route that must answer", tuple(missing), span=route, vantage="controller"
    )


def _setting(subject: Subject) -> Proposal | None:
    settings = [(k, v) for k, v in subject.evidence.settings if not is_placeholder(v)]
    named = re.match(r"\W*([A-Z][A-Z0-9_]+)[`*]*\s*[:=→]\s*`([^`\s]+)`\s*$", subject.line.title)
    if named and not settings and not is_placeholder(named.group(2)):
        settings = [(named.group(1), named.group(2))]
    if not settings or subject.evidence.own_command:
        return None
    secret = re.compile(r"SECRET|PASSWORD|TOKEN|KEY$|DSN$")
    if any(secret.search(k) for k, _ in settings):
        return None
    return _bound(
        subject,
        "env_values",
        {"path": _env_path(subject), "wants": dict(settings)},
        "a setting with its value",
        span=f"{settings[0][0]}={settings[0][1]}",
    )


def _keys(subject: Subject) -> Proposal | None:
    keys = [k for k in subject.evidence.keys if not re.fullmatch(r"(?:[A-Z]{2,5}|HTTP_\w+|TODO|README)", k) or k in subject.evidence.spans]
    keys = [k for k in keys if not re.search(r"^(?:TKT|ISSUE|STEP|PHASE)_?|REDACTED", k) and not _is_a_value(k, subject)]
    if not keys:
        return None
    script = next((f for f in subject.parent_evidence.files if re.search(r"\.(?:sh|py|js|ts|json|ya?ml|toml|conf|ini|cfg|tf|cmd|ps1)$", f)), "")
    if script and not re.search(r"\.env\b", subject.text.near):
        return _content(subject, script, rf"^\s*(?:export\s+|set\s+|\$)?{re.escape(keys[0])}\s*[=:]", keys[0])
    if subject.says("recorded") or (subject.says("handled_by_hand") and not subject.says("configured")):
        return None
    if not keys or subject.says("grants") or subject.says("table"):
        return None
    if subject.says("says_ui_strong") and subject.evidence.begins_with != "key":
        return None
    about_settings = any(subject.near(group) for group in ("env_var", "env_file", "secret", "api_key", "settings_word"))
    about_settings = about_settings or subject.says("points_to")
    if not (about_settings or (subject.says("configured") and not subject.says("says_ui"))):
        return None
    span = keys[0]
    path = _env_path(subject)
    if _wants_strength(subject) and any(_is_secret(k) for k in keys):
        return _bound(
            subject, "secret_strength", {"path": path, "keys": keys}, "a secret that must not be guessed", span=span
        )
    stated = re.search(rf"{re.escape(keys[0])}`?\**\s+(?:is\s+|must be\s+)?(?:set to|equals|=|は|가|이)?\s*`([^`\s]+)`", subject.line.title)
    if stated and not is_placeholder(stated.group(1)) and not _is_secret(keys[0]):
        return _bound(
            subject, "env_values", {"path": path, "wants": {keys[0]: stated.group(1)}}, "a setting with its value", span=span
        )
    if subject.says("points_to") or (subject.says("production_value") and not subject.says("exists")):
        wants = dict.fromkeys(keys, "{{ expected_value }}")
        return _bound(
            subject, "env_values", {"path": path, "wants": wants}, "a setting that must point somewhere",
            ("expected_value",), span=span,
        )  # fmt: skip
    return _bound(subject, "env_complete", {"path": path, "keys": keys}, "settings that must be there", span=span)


def _versions(subject: Subject) -> Proposal | None:
    named = subject.evidence.versions
    if named and (subject.says("installed") or subject.says("version") or ">=" in named[0].constraint):
        if subject.says("image") or subject.says("decide") or subject.says("database_migration_word"):
            return None
        return program(subject, named[0])
    return None


def program(subject: Subject, version: Version) -> Proposal:
    """The check for a program that must be installed."""
    name = _PROGRAMS.get(version.program, version.program)
    given: dict[str, object] = {"name": name}
    if version.constraint:
        given["version"] = version.constraint
    if name in _VERSION_WORDS:
        given["argv"] = list(_VERSION_WORDS[name])
    return _bound(subject, "program", given, "a program that must be installed", span=version.span)


def _port(subject: Subject) -> Proposal | None:
    if not subject.evidence.ports or subject.evidence.addresses:
        return None
    number = subject.evidence.ports[0]
    if subject.says("closed") or (subject.says("exposed") and not subject.says("port_open_word")):
        return _bound(
            subject, "port", {"number": number, "open": False, "connect": _REACH},
            "a port that must be closed to strangers", span=str(number), vantage="controller",
        )  # fmt: skip
    if subject.says("free") and not subject.says("listening"):
        return _bound(
            subject, "port", {"number": number, "open": False}, "a port that must be free", span=str(number)
        )
    stated = re.search(r"(?:port|포트|ポート|端口|puerto|porta)\s*(?:is|est|es|é|=|:|は|为)\s*\d", subject.title)
    if stated or subject.says("listening") or subject.says("firewall") or subject.says("connection") or subject.says("running"):
        outside = subject.says("firewall") or subject.says("outside")
        given: dict[str, object] = {"number": number}
        if outside:
            given["connect"] = _REACH
        return _bound(
            subject, "port", given, "a port that must be open", span=str(number),
            vantage="controller" if outside else "host",
        )  # fmt: skip
    return None


def _is_up(subject: Subject) -> Proposal | None:
    """`name → Up (healthy)`, as `docker ps` writes it."""
    if not re.search(r"\bup \(healthy\)|(?:→|->|:)\s*`?up\b", plain(subject.line.title), re.IGNORECASE):
        return None
    return _bound(subject, "container_state", {"stack": _STACK}, "containers that must run, and stay running", span="Up")


def _file(subject: Subject) -> Proposal | None:
    files = subject.evidence.files
    if files and re.search(r"(?:^|/)(?:docker-)?compose[\w.-]*\.ya?ml$", files[0]) and subject.says("valid"):
        return _bound(
            subject, "compose_config", {"stack": _STACK}, "compose files that must be valid together", span=files[0]
        )
    if not files or subject.says("judgement") or (subject.says("tested") and not subject.says("exists")) or (subject.says("handled_by_hand") and subject.evidence.begins_with != "file"):
        return None
    name = files[0]
    if any(f.endswith(".gitignore") for f in files) or subject.says("gitignore"):
        return _ignored(subject)
    if subject.says("tracked"):
        return _bound(
            subject, "git_state", {"untracked": [f for f in files if not f.endswith(".gitignore")]},
            "a file that git must not track", span=name, vantage="controller",
        )  # fmt: skip
    if _is_env_file(files[-1]) and subject.says("strong") and (subject.says("password") or subject.says("secret")):
        return _secret_strength(subject)
    if _is_env_file(name) or (len(files) > 1 and _is_env_file(files[-1]) and not _is_example(files[-1])):
        return _env_file(subject, files)
    if subject.says("gone"):
        return None
    keys = [k for k in subject.evidence.keys if k not in name]
    if keys and (subject.says("contains") and len(subject.line.title) < 120 or subject.evidence.begins_with == "file"):
        return _content(subject, name, rf"{re.escape(keys[0])}", keys[0])
    if subject.says("contains") and not subject.says("exists") and name in _without_brackets(subject):
        given = {"path": _path(name), "contains": ["{{ expected_value }}"]}
        return _bound(
            subject, "file", given, "a file that must hold something", ("expected_value",), span=name,
            vantage=_vantage(name),
        )  # fmt: skip
    child_keys = _names_of_children(subject)
    if child_keys:
        return _bound(
            subject, "file", {"path": _path(name), "contains": list(child_keys)},
            "a file that must name what stands below the line", span=name, vantage=_vantage(name),
        )  # fmt: skip
    if name not in _without_brackets(subject) and not subject.says("exists"):
        return None
    is_document = bool(re.search(r"\.(?:md|rst|adoc|html|pdf|docx?)$|(?:openapi|swagger)[\w.-]*$", name))
    if subject.evidence.begins_with == "file" or any(
        subject.says(group) for group in ("exists", "installed", "configured", *(("written",) if is_document else ()))
    ):
        if re.search(r"\.sql$", name) and subject.says("deployed_or_run"):
            return None
        return _is_there(subject, name)
    return None


_LITERAL: tuple[Recipe, ...] = (_setting, _is_up, _own_command, _address, _route, _versions, _port, _file, _keys)


def _without_brackets(subject: Subject) -> str:
    return re.sub(r"[（(][^()（）]*[)）]", " ", subject.line.title)


def _ignored(subject: Subject) -> Proposal:
    wanted = [f for f in subject.evidence.files if not f.endswith(".gitignore")] or [".env"]
    return _bound(
        subject, "git_state", {"ignored": wanted}, "files that git must ignore", span=".gitignore",
        vantage="controller",
    )  # fmt: skip


def _env_file(subject: Subject, files: tuple[str, ...]) -> Proposal:
    real = [f for f in files if not _is_example(f)]
    examples = [f for f in files if _is_example(f)]
    name = next((f for f in reversed(real) if _is_env_file(f)), "")
    folder = next((f for f in real if f.endswith("/")), "")
    if examples and not name and subject.evidence.begins_with == "file":
        return _is_there(subject, examples[0])
    if examples and not name:
        given: dict[str, object] = {"tree": _WHERE}
    elif examples:
        given = {"path": _path(name), "example": _path(examples[0])}
    else:
        path = folder + name if folder else _path(name)
        return _bound(subject, "env_file", {"path": path}, "an environment file that must be there and closed to others", span=name)
    return _bound(subject, "env_complete", given, "an environment file made from its example", span=examples[0])


def _is_there(subject: Subject, name: str) -> Proposal:
    if re.search(r"\.(?:md|rst|adoc|txt)$|(?:^|/)README$", name) and not name.startswith("/") and "requirements" not in name and "robots" not in name:
        return replace(
            _bound(subject, "document", {"path": name}, "a document that must be there", span=name, vantage="controller"),
            kind="document" if subject.near("document") else "check",
            check="document" if subject.near("document") else "file",
        )
    given: dict[str, object] = {"path": _path(name)}
    if name.endswith("/"):
        given["kind"] = "directory"
    if subject.says("executable"):
        given["executable"] = True
    return _bound(subject, "file", given, "a file that must be there", span=name, vantage=_vantage(name))


def _content(subject: Subject, name: str, pattern: str, span: str) -> Proposal:
    return _bound(
        subject, "file", {"path": _path(name), "matches": [pattern]}, "a file that must name this", span=span,
        vantage=_vantage(name),
    )  # fmt: skip


# -- concepts -----------------------------------------------------------------------------------------


def _by_concept(subject: Subject) -> Proposal | None:
    limit = _limit(subject)
    if limit:
        return limit
    if re.match(r"(?:review|adjust|consider|decide|evaluate|discuss|think about|plan)\b|검토", subject.title) and not subject.says("ssl"):
        return _person(subject, "somebody looks it over", role="reviewer")
    if re.match(r"(?:document|write down|note|update (?:the )?(?:\w+ )?(?:docs?|documentation|wiki|readme))\b", subject.title):
        return _document(subject)
    meaning = understood(subject)
    if meaning is None or len(subject.title) > _LONGEST:
        return None
    recipe = _CONCEPTS.get(meaning.concept)
    proposal = recipe(subject) if recipe else None
    if proposal is None:
        return None
    return replace(proposal, span=proposal.span or meaning.span)


def _limit(subject: Subject) -> Proposal | None:
    """A line whose point is a number."""
    stated = limits_in(plain(subject.line.title))
    if not stated:
        return capacity(subject)
    limit = stated[0]
    if subject.says("alerting") or (limit.unit == "ms" and limit.value > _SLOWEST_MS):
        return _person(subject, f"understood as {limit}; a person keeps to it", role="operator", span=limit.span)
    if subject.says("page_speed"):
        return _person(subject, f"understood as {limit}; measured in a browser", role="tester", span=limit.span)
    enough = capacity(subject)
    if enough:
        return enough
    if limit.unit == "ms" and (subject.near("response_time") or subject.near("endpoint")):
        return _latency(subject, limit, "")
    if limit.unit == "%" and limit.is_upper and subject.near("cpu_memory") and not subject.near("alerting"):
        return _host_usage(subject, limit)
    if limit.unit == "%" and limit.is_upper and subject.says("disk"):
        return _host_usage(subject, limit)
    if limit.unit == "%" and not limit.is_upper and subject.says("unit_tests"):
        return _tests(subject, None)
    if limit.unit == "bytes" and subject.says("bundle"):
        given = {"directory": "{{ path }}", "budget": {"*.js": int(limit.value)}}
        return _bound(
            subject, "bundle_size", given, f"understood as {limit}", ("path",), span=limit.span, vantage="controller"
        )
    if subject.line.kind == "limit":
        return _person(subject, f"understood as {limit}; nothing here measures it", role="operator", span=limit.span)
    return None


def capacity(subject: Subject) -> Proposal | None:
    """`8 GB of RAM`: how large the machine must be, not how much of it may be used."""
    found = re.search(r"(\d+(?:[.,]\d+)?)\s?(GB|GiB|TB|G)\b\+?|(\d+)\s?(?:\+\s?)?(?:v?cpus?|cores?|코어|コア|核)\b", plain(subject.line.title), re.IGNORECASE)
    if not found or subject.says("limit_word") or subject.near("container") or subject.says("bundle") or subject.says("usage_word"):
        return None
    amount = float((found.group(1) or found.group(3)).replace(",", "."))
    if found.group(3):
        given: dict[str, object] = {"cores": int(amount)}
    elif subject.says("disk"):
        given = {"free_disk_gb": amount * (1000 if found.group(2).upper() == "TB" else 1)}
    elif subject.says("memory_word"):
        given = {"memory_gb": amount}
    else:
        return None
    return _bound(subject, "host_capacity", given, "a machine that must be large enough", span=found.group(0))


def _latency(subject: Subject, limit: Limit, route: str) -> Proposal:
    statistic = {"avg": "avg_ms", "p99": "p99_ms"}.get(limit.statistic, "p95_ms")
    health = subject.around.health_routes if subject.says("health") else ()
    path = route or (health[0] if health else "{{ path }}")
    missing = ("base_url",) if path != "{{ path }}" else ("base_url", "path")
    shown = limit if limit.statistic else replace(limit, statistic=statistic.removesuffix("_ms"))
    return _bound(
        subject, "http_latency", {"url": "{{ base_url }}" + path, statistic: limit.value}, f"understood as {shown}",
        missing, span=limit.span, vantage="controller",
    )  # fmt: skip


def _host_usage(subject: Subject, limit: Limit | None) -> Proposal:
    which = [
        key
        for group, key in (("cpu_word", "cpu_percent"), ("memory_word", "memory_percent"), ("disk", "disk_percent"))
        if subject.says(group)
    ] or ["cpu_percent", "memory_percent"]
    value: object = limit.value if limit else "{{ threshold }}"
    given: dict[str, object] = dict.fromkeys(which, value)
    if "disk_percent" in given:
        given["paths"] = ["/"]
    return _bound(
        subject, "host_usage", given, f"understood as {limit}" if limit else "how much of the host is used",
        () if limit else ("threshold",), span=limit.span if limit else "",
    )  # fmt: skip


def _simple(
    check: str,
    given: dict[str, object],
    why: str,
    *missing: str,
    vantage: Literal["host", "controller"] = "host",
    become: bool = False,
) -> Recipe:
    """A recipe whose parameters do not depend on the line."""

    def recipe(subject: Subject) -> Proposal:
        return _bound(subject, check, dict(given), why, missing, vantage=vantage, become=become)

    return recipe


def _by_person(why: str, role: str = "", *, advisory: bool = False) -> Recipe:
    def recipe(subject: Subject) -> Proposal:
        return _person(subject, why, role=role or _role(subject), advisory=advisory)

    return recipe


def _duty(subject: Subject) -> Proposal:
    every: Every = "day"
    for group, word in (("weekly", "week"), ("monthly", "month"), ("quarterly", "quarter")):
        if subject.says(group):
            every = word  # type: ignore[assignment]  # the three words are of the type
    return replace(
        _person(subject, f"a duty that comes back every {every}", role="operator", advisory=True), every=every
    )


def _health(subject: Subject) -> Proposal:
    ours = subject.around.speaks_of_compose
    if not subject.says("endpoint") and not subject.says("responds_strictly") and (subject.near("container") or ours):
        if subject.says("configured") and not subject.says("pass"):
            return _bound(subject, "compose_healthchecks", {"stack": _STACK}, "a health check for every service")
        if subject.says("pass") or subject.near("container"):
            return _bound(subject, "container_health", {"stack": _STACK}, "containers that must be healthy")
    routes = subject.around.health_routes
    path = routes[0] if routes else "{{ path }}"
    missing = ("base_url",) if routes else ("base_url", "path")
    return _bound(
        subject, "http", {"url": "{{ base_url }}" + path}, "a health endpoint that must answer", missing,
        vantage="controller",
    )  # fmt: skip


def _page(why: str) -> Recipe:
    def recipe(subject: Subject) -> Proposal:
        routes = [r for v, r in subject.evidence.routes if v in ("GET", "HEAD")]
        home = subject.says("home")
        path = routes[0] if routes else "/" if home else "{{ path }}"
        missing = ("base_url",) if routes or home else ("base_url", "path")
        return _bound(subject, "http", {"url": "{{ base_url }}" + path}, why, missing, vantage="controller")

    return recipe


def _names_an_api(subject: Subject) -> Proposal | None:
    """`User API`: the noun alone, in a list of things that must work."""
    if not re.search(r"(?<![\w])apis?$|엔드포인트$|エンドポイント$|接口$", subject.title) or len(subject.title.split()) > 4:  # noqa: PLR2004
        return None
    if subject.near("document") or subject.says("monitoring") or subject.says("third_party") or subject.says("decide"):
        return None
    return _page("an interface that must answer")(subject)


def _api(subject: Subject) -> Proposal | None:
    if subject.near("document") and not subject.says("responds_strictly"):
        return None
    return _page("an interface that must answer")(subject)


def _one_header(subject: Subject) -> Proposal:
    named = [name for words, name in _HEADERS.items() if re.search(rf"(?<!\w){re.escape(words)}(?!\w)", subject.title)]
    return _bound(
        subject, "http_header", {"url": "https://{{ domain }}/", "wants": dict.fromkeys(dict.fromkeys(named), "")},
        "a header that every answer must carry", ("domain",), vantage="controller",
    )  # fmt: skip


def _certificate(subject: Subject) -> Proposal:
    domain = subject.evidence.domains[0] if subject.evidence.domains else "{{ domain }}"
    return _bound(
        subject, "certificate", {"domain": domain}, "a certificate that must hold",
        () if subject.evidence.domains else ("domain",), vantage="controller",
    )  # fmt: skip


def _renewal(subject: Subject) -> Proposal:
    return _bound(subject, "cron_job", {"matches": "certbot|acme|lego|dehydrated"}, "a renewal that must be scheduled")


def _https_redirect(subject: Subject) -> Proposal:
    domain = subject.evidence.domains[0] if subject.evidence.domains else "{{ domain }}"
    return _bound(
        subject, "https_redirect", {"url": f"http://{domain}/"}, "plain HTTP that must lead to HTTPS",
        () if subject.evidence.domains else ("domain",), vantage="controller",
    )  # fmt: skip


def _dns(subject: Subject) -> Proposal | None:
    domains = subject.evidence.domains
    given: dict[str, object] = {"name": domains[0] if domains else "{{ domain }}"}
    if subject.evidence.ips:
        given["addresses"] = list(subject.evidence.ips)
    return _bound(
        subject, "dns", given, "a name that must resolve", () if domains else ("domain",), vantage="controller"
    )


def _exposed_port(subject: Subject) -> Proposal:
    service = next((s for s in _PORTS if re.search(rf"(?<!\w){s}(?!\w)", subject.title)), "")
    if service or (subject.says("database") and not subject.says("all")):
        if not service:
            return _bound(
                subject, "port", {"number": "{{ port }}", "open": False, "connect": _REACH},
                "a database port that must be closed to strangers", ("port",), vantage="controller",
            )  # fmt: skip
        return _bound(
            subject, "port", {"number": _PORTS[service], "open": False, "connect": _REACH},
            f"the port of {service} must be closed to strangers", span=service, vantage="controller",
        )  # fmt: skip
    return _bound(
        subject, "listening_ports", {"allow": "{{ ports }}"}, "nothing but these ports may be open", ("ports",), become=True
    )


def _firewall(subject: Subject) -> Proposal | None:
    if re.search(r"\bufw\b", subject.title):
        return _bound(
            subject, "command", {"argv": ["ufw", "status"], "matches": ["^Status: active"]}, "a firewall that must be active",
            become=True,
        )  # fmt: skip
    return _person(subject, "which firewall this is, and what it should let through, is not written here", role="operator")


def _cron(subject: Subject) -> Proposal:
    script = next(iter(subject.evidence.files), "")
    if not script and subject.says("backup"):
        return _bound(subject, "cron_job", {"matches": "(?i)backup|dump"}, "a backup that must be scheduled")
    return _bound(
        subject, "cron_job", {"matches": re.escape(script) if script else "{{ command }}"}, "a job that must be scheduled",
        () if script else ("command",),
    )  # fmt: skip


def _log_rotation(subject: Subject) -> Proposal:
    if subject.around.speaks_of_compose:
        return _bound(subject, "compose_logging", {"stack": _STACK}, "logs that must be limited in size and number")
    return _bound(
        subject, "file", {"path": "{{ path }}", "matches": [r"^\s*(?:rotate|maxage|size|daily|weekly|monthly)\b"]},
        "a rotation that must be declared", ("path",),
    )  # fmt: skip


def _disk(subject: Subject) -> Proposal:
    return _host_usage(subject, None)


def _resource_limit(subject: Subject) -> Proposal:
    return _bound(subject, "compose_limits", {"stack": _STACK}, "limits that every service must have")


def _user(subject: Subject) -> Proposal:
    if subject.says("configured") and not subject.says("verify"):
        return _bound(subject, "compose_user", {"stack": _STACK}, "services that must not run as root")
    return _bound(
        subject, "process_privileges", {"project": _PROJECT, "not_root": True}, "processes that must not run as root"
    )


def _no_new_privileges(subject: Subject) -> Proposal:
    if subject.says("configured") and not subject.says("verify"):
        return _bound(subject, "compose_privileges", {"stack": _STACK}, "services that must not gain privileges")
    return _bound(
        subject, "process_privileges", {"project": _PROJECT, "no_new_privs": True}, "processes that must not gain privileges"
    )


def _container_state(subject: Subject) -> Proposal:
    if re.search(r"(?<!\w)healthy|헬스|正常健康", subject.title) and not subject.says("running_word"):
        return _bound(subject, "container_health", {"stack": _STACK}, "containers that must be healthy")
    return _bound(subject, "container_state", {"stack": _STACK}, "containers that must run, and stay running")


def _pm2(subject: Subject) -> Proposal:
    given: dict[str, object] = {
        "app": "{{ pm2_app }}", "instances": "{{ instances }}", "release_dir": _WHERE, "url": "{{ base_url }}",
    }  # fmt: skip
    return _bound(
        subject, "pm2_processes", given, "processes that PM2 must keep running", ("pm2_app", "instances", "base_url")
    )


def _service(subject: Subject) -> Proposal | None:
    name = next(
        (n for n in ("nginx", "apache2", "apache", "httpd", "caddy", "haproxy", "docker", "redis", "postgresql", "mysql",
                     "mariadb", "supervisor", "rabbitmq-server", "celery", "gunicorn", "php-fpm", "traefik")
         if re.search(rf"(?<![\w-]){n}(?![\w-])", subject.title)),
        "",
    )  # fmt: skip
    if not name and not re.search(r"systemd|daemon|데몬", subject.title):
        return None
    name = {"apache": "apache2", "httpd": "apache2"}.get(name, name)
    return _bound(
        subject, "service", {"name": name or "{{ service }}"}, "a service that must run", () if name else ("service",), span=name
    )


def _monitoring(subject: Subject) -> Proposal:
    """Something that is measured; not somebody who keeps an eye on it for a while."""
    watches = re.match(r"(?:monitor|watch|observe|track|keep an eye)\b", subject.title)
    measured = ("metrics_series", "metric_word", "cpu_memory", "database", "disk", "cache_server", "network", "metrics_noun")
    if watches and not any(subject.says(group) for group in measured):
        return _person(subject, "somebody keeps an eye on it", role="operator")
    return _bound(
        subject, "prometheus_metrics", {"url": "{{ metrics_url }}"}, "series that must be measured", ("metrics_url",), vantage="controller"
    )


def _dependencies(subject: Subject) -> Proposal:
    return _says_no_error(subject, "dependencies that must be complete")


def _says_no_error(subject: Subject, why: str) -> Proposal:
    given: dict[str, object] = {"argv": "{{ command }}", "lacks": [r"(?i)\b(?:error|failed)\b(?!s?: 0)"]}
    return _bound(subject, "command", given, why, ("command",), vantage="controller")


def _build(subject: Subject) -> Proposal:
    return _says_no_error(subject, "a tool that must find nothing wrong")


def _git(*, pushed: bool) -> Recipe:
    def recipe(subject: Subject) -> Proposal:
        given: dict[str, object] = {"clean": True} if not pushed else {"clean": True, "pushed": True}
        return _bound(subject, "git_state", given, "a working copy that must hold no surprise", vantage="controller")

    return recipe


def _program(subject: Subject) -> Proposal | None:
    found = re.search(
        r"(?<![\w.-])(node(?:\.?js)?|python|php|ruby|java|golang|docker[ -]compose|docker|git|nginx|apache2?|npm|pnpm|yarn|composer"
        r"|certbot|pm2|kubectl|helm|terraform|ansible|gh|github cli|aws cli|gcloud|ffmpeg|openssl|redis|postgresql|mysql)(?![\w-])",
        subject.title,
    )
    if not found or subject.near("database_word_only"):
        return None
    if not subject.says("installed_strictly"):
        return None
    return program(subject, Version(found.group(1), "", found.group(1)))


def _log_clean(subject: Subject) -> Proposal:
    return _bound(
        subject, "container_logs", {"project": _PROJECT, "services": "{{ log_source }}"}, "logs without errors", ("log_source",)
    )


def _log_written(subject: Subject) -> Proposal:
    return _bound(
        subject, "container_logs", {"project": _PROJECT, "services": "{{ log_source }}", "errors": None},
        "logs that must be written", ("log_source",),
    )  # fmt: skip


def _secret_strength(subject: Subject) -> Proposal:
    return _bound(
        subject, "secret_strength", {"path": _env_path(subject), "keys": "{{ keys }}"}, "a secret that must not be guessed", ("keys",)
    )


def _env_vars(subject: Subject) -> Proposal:
    examples = subject.around.env_examples
    if examples and not subject.says("production_value"):
        return _bound(
            subject, "env_complete", {"path": _env_path(subject), "example": _path(examples[0])},
            "settings that the example asks for", span=examples[0],
        )  # fmt: skip
    return _bound(
        subject, "env_complete", {"path": _env_path(subject), "keys": "{{ keys }}"}, "settings that must be there", ("keys",)
    )


def _secret_leak(subject: Subject) -> Proposal | None:
    if subject.near("container") or subject.near("image"):
        return _bound(subject, "compose_secrets", {"stack": _STACK}, "no secret in compose files or images")
    return _bound(subject, "secret_scan", {"path": "."}, "no secret in the code", vantage="controller")


def _document(subject: Subject) -> Proposal:
    named = next((f for f in subject.evidence.files if re.search(r"\.(?:md|rst|adoc|txt|html)$", f)), "")
    given: dict[str, object] = {"path": named or "{{ path }}"}
    bound = _bound(
        subject, "document", given, "a document that must be there", () if named else ("path",), vantage="controller"
    )
    return replace(bound, kind="document")


def _tables(subject: Subject) -> Proposal:
    names = [s for s in subject.evidence.spans if re.fullmatch(r"[a-z_][a-z0-9_]*", s)]
    given: dict[str, object] = {"database": "{{ dsn }}", "tables": names or "{{ tables }}"}
    return _bound(
        subject, "database_tables", given, "tables that must exist", ("dsn",) if names else ("dsn", "tables")
    )


def _by_its_parent(subject: Subject) -> Proposal | None:
    """A child that is only a noun means what its parent says of it."""
    lender = subject.parent.title if subject.parent else ""
    bare = plain(subject.line.title)
    literal = bool(re.fullmatch(r"[\w.-]*[-_.\d][\w.-]*(?:\s*\(.*\))?", bare)) or bool(
        re.fullmatch(r"`[^`]+`", subject.line.title.strip())
    )
    label = subject.line.path[-1] if subject.line.path and (literal or subject.line.path[-1].endswith((":", "："))) else ""
    lender = lender or label
    if not lender or len(subject.title.split()) > 6 or len(subject.title) > 60:  # noqa: PLR2004  a noun
        return None
    lent = replace(subject, text=replace(subject.text, line=concept_text(f"{lender} {subject.line.title}")))
    if mentions("says_ui", lent.text.line) or mentions("alerting", lent.text.line):
        return None
    ports = [int(n) for n in re.findall(r"(?<!\d)(\d{2,5})(?!\d)", subject.title)]
    if ports and lent.says("port") and (lent.says("closed") or lent.says("listening")):
        lent = replace(lent, evidence=replace(lent.evidence, ports=tuple(ports)))
        return _port(lent)
    if lent.says("endpoint_word") and subject.parent:
        return _page("an interface that must answer")(subject)
    if not literal:
        return None
    proposal = _by_concept(lent)
    if proposal is None or proposal.kind == "attestation":
        return None
    return replace(proposal, reason=f"{proposal.reason}; the line above says so", span=plain(lender)[:60])


def _code_backup(subject: Subject) -> Proposal:
    return _person(subject, "where the copy lies is not written here", role="operator")


_CONCEPTS: dict[str, Recipe] = {
    "duty": _duty,
    "entered": _by_person("what a person enters by hand", "operator"),
    "gitignore": _ignored,
    "cicd": _by_person("a pipeline is looked at where it runs", "operator"),
    "alerting": _by_person("whether an alert reaches somebody is tried by a person", "operator"),
    "rollback": _by_person("a way back is tried by a person", "operator"),
    "security_scan": _by_person("a scan is read by a person", "reviewer"),
    "approval": _by_person("somebody's word", "approver"),
    "restore_test": _by_person("a restore is tried by a person", "operator"),
    "backup_procedure": _by_person("a procedure is read by a person", "operator"),
    "code_backup": _code_backup,
    "backup_schedule": _simple(
        "backup_file", {"directory": "{{ backup_path }}", "pattern": "*", "marker": "."}, "a backup that must be fresh", "backup_path"
    ),
    "backup": _simple(
        "backup_file", {"directory": "{{ backup_path }}", "pattern": "*", "marker": "."}, "a backup that must be fresh", "backup_path"
    ),
    "pool": _simple(
        "pool_size", {"path": _WHERE + "/{{ env_file }}", "pool": "{{ key }}", "database": "{{ dsn }}"},
        "a pool that the database can serve", "key", "dsn",
    ),
    "migration": _simple("migrations", {"command": "{{ command }}", "chdir": _WHERE}, "no migration may be pending", "command"),
    "database_grants": _simple(
        "database_grants", {"database": "{{ dsn }}", "privileges": "{{ privileges }}"}, "rights that an account must have", "dsn",
        "privileges",
    ),
    "replication": _by_person("nothing here asks a replica", "operator"),
    "database_index": _simple(
        "database_indexes", {"database": "{{ dsn }}", "indexes": "{{ indexes }}"}, "indexes that must exist", "dsn", "indexes"
    ),
    "database_table": _tables,
    "slow_query": _simple(
        "container_logs", {"project": _PROJECT, "services": "{{ log_source }}", "errors": None, "slow": 0, "slow_ms": 1000},
        "no slow line in the log", "log_source",
    ),
    "cache_connection": _simple(
        "cache_login", {"from_where": {"project": _PROJECT, "service": "{{ container }}"}}, "a cache that must let the application in",
        "container",
    ),
    "database_password": _secret_strength,
    "database_connection": _simple("database_service", {"database": "{{ dsn }}"}, "a database that must answer", "dsn"),
    "secret_in_log": _simple(
        "secrets_in_logs", {"env_file": _WHERE + "/{{ env_file }}", "project": _PROJECT}, "no secret may stand in a log"
    ),
    "secret_leak": _secret_leak,
    "hashing": _by_person("how values are stored is read in the code or the data", "reviewer"),
    "secret_strength": _secret_strength,
    "env_file": _simple("env_file", {"path": _WHERE + "/{{ env_file }}"}, "an environment file that must be there and closed to others"),
    "debug_off": _simple(
        "env_values", {"path": _WHERE + "/{{ env_file }}", "wants": {"{{ key }}": "false"}}, "a mode that must be off", "key"
    ),
    "env_vars": _env_vars,
    "api_key": _env_vars,
    "security_headers": _simple("security_headers", {"url": "https://{{ domain }}/"}, "headers that protect", "domain", vantage="controller"),
    "one_header": _one_header,
    "cors": _simple(
        "cors_preflight", {"url": "https://{{ domain }}/", "allowed": "{{ origins }}"}, "foreign origins must be refused", "domain",
        "origins", vantage="controller",
    ),
    "csrf": _simple(
        "csrf", {"url": "{{ base_url }}{{ path }}", "token_url": "{{ base_url }}{{ token_path }}"},
        "a change without the token must be refused", "base_url", "path", "token_path", vantage="controller",
    ),
    "injection": _simple(
        "injection", {"url": "{{ base_url }}{{ path }}"}, "hostile input must do no harm; the path holds {probe} where input goes",
        "base_url", "path", vantage="controller",
    ),
    "database_data": _simple(
        "database_query", {"database": "{{ dsn }}", "query": "{{ query }}", "at_least": 1}, "data that must be there", "dsn", "query"
    ),
    "hashed_data": _simple(
        "database_query", {"database": "{{ dsn }}", "query": "{{ query }}", "at_least": 1},
        "how values are stored; the query counts those that are hashed", "dsn", "query",
    ),
    "mail": _simple("smtp", {"host": "{{ smtp_host }}"}, "a mail server that must take mail", "smtp_host"),
    "web_server_config": _simple(
        "file", {"path": "{{ path }}", "contains": ["{{ expected_value }}"]}, "a configuration that must say so", "path",
        "expected_value",
    ),
    "image_there": _simple("image", {"name": "{{ tag }}"}, "an image that must be there", "tag"),
    "rate_limit": _simple(
        "rate_limit", {"url": "{{ base_url }}{{ path | default('/') }}", "limit": "{{ limit }}"}, "too many requests must be refused",
        "base_url", "limit", vantage="controller",
    ),
    "certificate_renewal": _renewal,
    "https_redirect": _https_redirect,
    "certificate": _certificate,
    "compression": _simple(
        "http_header",
        {"url": "https://{{ domain }}/", "wants": {"Content-Encoding": "gzip|br|zstd"}, "request_headers": {"Accept-Encoding": "gzip, br"}},
        "answers that must be compressed", "domain", vantage="controller",
    ),
    "page_speed": _by_person("a page's speed is measured in a browser", "tester"),
    "load_test": _simple(
        "load", {"url": "{{ base_url }}/", "rate_per_s": "{{ load_profile }}"}, "requests at a constant rate must be answered",
        "base_url", "load_profile", vantage="controller",
    ),
    "response_time": _simple(
        "http_latency", {"url": "{{ base_url }}{{ path }}", "p95_ms": "{{ threshold }}"}, "answers that must be fast", "base_url", "path",
        "threshold", vantage="controller",
    ),
    "bundle": _simple(
        "bundle_size", {"directory": "{{ path }}", "budget": {"*.js": "{{ threshold }}"}}, "files that must stay small", "path", "threshold",
        vantage="controller",
    ),
    "api_docs": _page("an API document that must be served"),
    "health": _health,
    "dns": _dns,
    "firewall": _firewall,
    "fail2ban": _simple("service", {"name": "fail2ban"}, "a service that must run"),
    "security_updates": _simple(
        "file", {"path": "/etc/apt/apt.conf.d/20auto-upgrades", "matches": [r'^APT::Periodic::Unattended-Upgrade "1";']},
        "updates that must come by themselves",
    ),
    "port_exposure": _exposed_port,
    "ports": _simple("compose_ports", {"stack": _STACK, "allowed": "{{ ports }}"}, "ports that are agreed", "ports", become=True),
    "ssh": _simple("port", {"number": 22, "connect": _REACH}, "ssh must answer", vantage="controller"),
    "cron": _cron,
    "log_rotation": _log_rotation,
    "disk": _disk,
    "resource_limit": _resource_limit,
    "container_usage": _simple("container_usage", {"project": _PROJECT}, "what containers use of what they may"),
    "cpu_memory": _disk,
    "non_root": _user,
    "no_new_privileges": _no_new_privileges,
    "read_only_fs": _simple("read_only_root", {"stack": _STACK}, "file systems that must not be written to"),
    "tmpfs": _simple("tmpfs_mounts", {"stack": _STACK}, "temporary file systems that must be mounted"),
    "restart_policy": _by_person("nothing here reads a restart policy", "operator"),
    "container_security": _simple("compose_privileges", {"stack": _STACK}, "services that must ask for no power over the host"),
    "volumes": _simple("compose_volumes", {"stack": _STACK, "data": "{{ data_paths }}"}, "data that must survive", "data_paths"),
    "networks": _simple("compose_networks", {"stack": _STACK}, "networks that must be declared and used"),
    "compose_dependencies": _simple("compose_dependencies", {"stack": _STACK}, "services that must wait for what they need"),
    "image_build": _by_person("whether an image is what it should be is seen where it is built", "operator"),
    "container_state": _container_state,
    "container_up": _container_state,
    "static_served": _page("files that must be served"),
    "static_there": _simple("file", {"path": "{{ path }}", "kind": "directory"}, "files that must be there", "path"),
    "pm2_running": _simple(
        "command", {"argv": ["pm2", "jlist"], "matches": ['"status":"online"'], "lacks": ['"status":"(?:errored|stopped|launching)"']},
        "processes that PM2 must keep online",
    ),
    "site_reachable": _simple("http", {"url": "{{ base_url }}/"}, "a site that must answer", "base_url", vantage="controller"),
    "build_silent": lambda subject: _build(subject),
    "within_limits": _simple("container_usage", {"project": _PROJECT, "limits": True}, "what containers use of what they may"),
    "env_security": _simple("compose_secrets", {"stack": _STACK}, "no secret in compose files or images"),
    "backup_tested": _by_person("whether a backup can be used is tried by a person", "operator"),
    "config_backup": _simple(
        "file", {"path": "{{ backup_path }}", "kind": "directory", "max_age_s": 86400}, "a copy that must be fresh", "backup_path"
    ),
    "site_over_https": _page("a page that must answer over HTTPS"),
    "protected": _simple(
        "http", {"url": "{{ base_url }}{{ path }}", "status": 401}, "a route that must refuse strangers", "base_url", "path",
        vantage="controller",
    ),
    "log_silent": _log_clean,
    "process_manager": _pm2,
    "service": _service,
    "unit_tests": lambda subject: _tests(subject, None),
    "dependencies": _dependencies,
    "build": _build,
    "pushed": _git(pushed=True),
    "committed": _git(pushed=False),
    "program_version": _program,
    "error_tracking": _by_person("whether an error arrives is tried by a person", "operator"),
    "json_log": _simple("json_log_file", {"files": "{{ path }}"}, "logs that must be JSON", "path"),
    "log_clean": _log_clean,
    "monitoring": _monitoring,
    "log_written": _log_written,
    "third_party": _by_person("another party's service is tried by a person", "operator"),
    "interface_state": _by_person("what a user sees is looked at by a person", "tester"),
    "documents": _document,
    "people": _by_person("people are told by people", "operator"),
    "admin_page": _page("a page that must answer"),
    "api_endpoint": _api,
    "cloud": _by_person("a provider's resource is looked at in its console", "operator"),
    "deployed": _by_person("that it was done is said by who did it", "deployer"),
    "judgement": _by_person("a judgement", "reviewer"),
}  # fmt: skip


# -- what recipes share -------------------------------------------------------------------------------


def _bound(
    subject: Subject,
    check: str,
    given: dict[str, object],
    why: str,
    missing: tuple[str, ...] | bool = (),
    *,
    span: str = "",
    vantage: Literal["host", "controller"] = "host",
    become: bool = False,
) -> Proposal:
    names = missing if isinstance(missing, tuple) else ()
    return Proposal(
        subject.line, "needs_value" if names else "check", check, given, names, why, span, vantage=vantage, become=become
    )


def _person(
    subject: Subject, why: str, *, role: str = "", span: str = "", advisory: bool = False
) -> Proposal:
    return Proposal(
        subject.line, "attestation", reason=why, span=span, role=role or _role(subject), advisory=advisory
    )


def _at_its_place(subject: Subject, proposal: Proposal) -> Proposal:
    """Optional lines, and those in parts about trouble and upkeep, hold up no deployment."""
    aside = next((h for group in ("trouble", "upkeep") for h in _heading_says(subject, group)), "")
    optional = speaks_of("optional", subject.line.title) or any(
        speaks_of("optional", h) for h in subject.line.path[-2:]
    )
    if not (aside or optional) or proposal.kind == "not_a_gate":
        return proposal
    why = "optional" if optional else f"in a part about upkeep or trouble ({plain(aside)[:40]})"
    return replace(proposal, advisory=True, reason=f"{proposal.reason}; {why}")


def _heading_says(subject: Subject, group: str) -> Iterator[str]:
    return (h for h in subject.line.path[1:] if mentions(group, h))


def _role(subject: Subject) -> str:
    words = subject.text.near
    for group, role in (("approver_word", "approver"), ("reviewer_word", "reviewer"), ("deployer_word", "deployer")):
        if mentions(group, subject.title):
            return role
    if mentions("approval", words):
        return "approver"
    if mentions("manual_heading", words) or mentions("tests_heading", words):
        return "tester"
    return "operator"


def _first(subject: Subject, unit: str) -> Limit | None:
    return next((limit for limit in limits_in(plain(subject.line.title)) if limit.unit == unit), None)


def _is_statement(title: str) -> bool:
    return len(re.findall(r"\w", title)) >= 3 and not title.endswith(("?", "？"))  # noqa: PLR2004  a word


def _is_only_an_action(subject: Subject) -> bool:
    return subject.says("handled_by_hand")


def _wants_strength(subject: Subject) -> bool:
    """Also what stands in brackets says how good a secret must be."""
    whole = plain(subject.line.title)
    return mentions("strong", whole) or mentions("secret_quality", whole)


def _is_a_value(key: str, subject: Subject) -> bool:
    """`Policy: ON_FAILURE` names a value, `ON_FAILURE: ...` would name a key."""
    return bool(re.search(rf"\w[:：]\s*`?{re.escape(key)}`?", subject.line.title)) and not subject.says("env_var")


def _is_secret(key: str) -> bool:
    return bool(re.search(r"SECRET|PASSWORD|PASSWD|_KEY$|^KEY_|TOKEN|SALT", key)) and not re.search(r"PUBLIC|KEY_ID|PUBLISHABLE", key)


def _env_path(subject: Subject) -> str:
    named = next((f for f in subject.evidence.files if _is_env_file(f) and not _is_example(f)), "")
    for heading in reversed(subject.line.path):
        found = re.search(r"(?:[\w.-]+/)*\.env(?:\.[\w-]+)*", heading)
        named = named or (found.group(0) if found and not _is_example(found.group(0)) else "")
    return _path(named) if named else _WHERE + "/{{ env_file }}"


def _is_env_file(name: str) -> bool:
    return bool(re.search(r"(?:^|/)\.env(?:\.[\w-]+)*$", name))


def _is_example(name: str) -> bool:
    return bool(re.search(r"\.(?:example|sample|template|dist)\b", name))


_ON_HOST = re.compile(r"^(?:\.env|data/|logs?/|backups?/|uploads?/|storage/|certs?/|ssl/|media/|var/)")


def _path(name: str) -> str:
    """Absolute as it is; what lives on the host below the deploy root; the rest in the project."""
    clean = name.removeprefix("./")
    if clean.startswith(("/", "~")):
        return clean
    return f"{_WHERE}/{clean}" if _ON_HOST.match(clean) else clean


def _vantage(name: str) -> Literal["host", "controller"]:
    return "host" if _path(name).startswith(("/", "~", "{{")) else "controller"


def _names_of_children(subject: Subject) -> tuple[str, ...]:
    if not (subject.says("configured") or subject.says("contains")):
        return ()
    return tuple(
        span for note in subject.line.notes for span in re.findall(r"^`([A-Z][A-Z0-9_]+)`", note.strip())
    )
