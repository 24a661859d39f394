"""From the concept a line speaks of to the check that looks at it; a person where none does."""

from __future__ import annotations

import functools
import re
from dataclasses import replace
from importlib import resources

import pydantic

from verifier.checklist.binding import Every
from verifier.checklist.markdown import plain
from verifier.document import Document, from_plain, parse_yaml
from verifier.proposal.concepts import mentions
from verifier.proposal.files import ignored
from verifier.proposal.measured import host_usage, limit_of, test_suite
from verifier.proposal.network import (
    api,
    certificate,
    dns,
    exposed_port,
    health,
    https_redirect,
    one_header,
    page_of,
    port,
    renewal,
)
from verifier.proposal.programs import named_program
from verifier.proposal.proposal import (
    PROJECT,
    STACK,
    Proposal,
    Recipe,
    Vantage,
    bound,
    by_person,
)
from verifier.proposal.settings import env_vars, secret_strength
from verifier.proposal.subject import Subject, concept_text, understood

_LONGEST = 140  # a clause longer than this says more than one thing


def by_concept(subject: Subject) -> Proposal | None:
    limit = limit_of(subject)
    if limit:
        return limit
    if re.match(
        r"(?:review|adjust|consider|decide|evaluate|discuss|think about|plan)\b|검토", subject.title
    ) and not subject.says("ssl"):
        return by_person(subject, "somebody looks it over", role="reviewer")
    if re.match(
        r"(?:document|write down|note|update (?:the )?(?:\w+ )?(?:docs?|documentation|wiki|readme))\b",
        subject.title,
    ):
        return _document(subject)
    meaning = understood(subject)
    if meaning is None or len(subject.title) > _LONGEST:
        return None
    proposal = _answer(meaning.concept, subject)
    if proposal is None:
        return None
    return replace(proposal, span=proposal.span or meaning.span)


def by_its_parent(subject: Subject) -> Proposal | None:
    """A child that is only a noun means what its parent says of it."""
    lender = subject.parent.title if subject.parent else ""
    bare = plain(subject.line.title)
    literal = bool(re.fullmatch(r"[\w.-]*[-_.\d][\w.-]*(?:\s*\(.*\))?", bare)) or bool(
        re.fullmatch(r"`[^`]+`", subject.line.title.strip())
    )
    label = (
        subject.line.path[-1]
        if subject.line.path and (literal or subject.line.path[-1].endswith((":", "：")))
        else ""
    )
    lender = lender or label
    if not lender or len(subject.title.split()) > 6 or len(subject.title) > 60:  # noqa: PLR2004  a noun
        return None
    lent = replace(
        subject, text=replace(subject.text, line=concept_text(f"{lender} {subject.line.title}"))
    )
    if mentions("says_ui", lent.text.line) or mentions("alerting", lent.text.line):
        return None
    ports = [int(n) for n in re.findall(r"(?<!\d)(\d{2,5})(?!\d)", subject.title)]
    if ports and lent.says("port") and (lent.says("closed") or lent.says("listening")):
        lent = replace(lent, evidence=replace(lent.evidence, ports=tuple(ports)))
        return port(lent)
    if lent.says("endpoint_word") and subject.parent:
        return page_of("an interface that must answer")(subject)
    if not literal:
        return None
    proposal = by_concept(lent)
    if proposal is None or proposal.kind == "attestation":
        return None
    return replace(
        proposal, reason=f"{proposal.reason}; the line above says so", span=plain(lender)[:60]
    )


def _duty(subject: Subject) -> Proposal:
    every: Every = "day"
    for group, word in (("weekly", "week"), ("monthly", "month"), ("quarterly", "quarter")):
        if subject.says(group):
            every = word  # type: ignore[assignment]  # the three words are of the type
    return replace(
        by_person(subject, f"a duty that comes back every {every}", role="operator", advisory=True),
        every=every,
    )


def _firewall(subject: Subject) -> Proposal:
    numbers = [
        int(n) for n in re.findall(r"(?<![\d.])(\d{2,5})(?![\d.])", plain(subject.line.title))
    ]
    allow: object = [f"{n}/tcp" for n in numbers if n < 65536] or "{{ firewall_ports }}"  # noqa: PLR2004  the last port
    return bound(
        subject,
        "firewall",
        {"allow": allow},
        "a firewall that must let in only what is agreed",
        () if isinstance(allow, list) else ("firewall_ports",),
        become=True,
    )


def _cron(subject: Subject) -> Proposal:
    script = next(iter(subject.evidence.files), "")
    if not script and subject.says("backup"):
        return bound(
            subject, "cron_job", {"matches": "(?i)backup|dump"}, "a backup that must be scheduled"
        )
    return bound(
        subject,
        "cron_job",
        {"matches": re.escape(script) if script else "{{ command }}"},
        "a job that must be scheduled",
        () if script else ("command",),
    )


def _log_rotation(subject: Subject) -> Proposal:
    if subject.around.speaks_of_compose:
        return bound(
            subject,
            "compose_logging",
            {"stack": STACK},
            "logs that must be limited in size and number",
        )
    return bound(
        subject,
        "file",
        {"path": "{{ path }}", "matches": [r"^\s*(?:rotate|maxage|size|daily|weekly|monthly)\b"]},
        "a rotation that must be declared",
        ("path",),
    )


def _usage(subject: Subject) -> Proposal:
    return host_usage(subject, None)


def _user(subject: Subject) -> Proposal:
    if subject.says("configured") and not subject.says("verify"):
        return bound(
            subject, "compose_user", {"stack": STACK}, "services that must not run as root"
        )
    return bound(
        subject,
        "process_privileges",
        {"project": PROJECT, "not_root": True},
        "processes that must not run as root",
    )


def _no_new_privileges(subject: Subject) -> Proposal:
    if subject.says("configured") and not subject.says("verify"):
        return bound(
            subject,
            "compose_privileges",
            {"stack": STACK},
            "services that must not gain privileges",
        )
    return bound(
        subject,
        "process_privileges",
        {"project": PROJECT, "no_new_privs": True},
        "processes that must not gain privileges",
    )


def _container_state(subject: Subject) -> Proposal:
    if re.search(r"(?<!\w)healthy|헬스|正常健康", subject.title) and not subject.says(
        "running_word"
    ):
        return bound(
            subject, "container_health", {"stack": STACK}, "containers that must be healthy"
        )
    return bound(
        subject, "container_state", {"stack": STACK}, "containers that must run, and stay running"
    )


def _service(subject: Subject) -> Proposal | None:
    name = next(
        (
            n
            for n in (
                "nginx",
                "apache2",
                "apache",
                "httpd",
                "caddy",
                "haproxy",
                "docker",
                "redis",
                "postgresql",
                "mysql",
                "mariadb",
                "supervisor",
                "rabbitmq-server",
                "celery",
                "gunicorn",
                "php-fpm",
                "traefik",
            )
            if re.search(rf"(?<![A-Za-z0-9_-]){n}(?![A-Za-z0-9_-])", subject.title)
        ),
        "",
    )
    if not name and not re.search(r"systemd|daemon|데몬", subject.title):
        return None
    name = {"apache": "apache2", "httpd": "apache2"}.get(name, name)
    return bound(
        subject,
        "service",
        {"name": name or "{{ service }}"},
        "a service that must run",
        () if name else ("service",),
        span=name,
    )


def _monitoring(subject: Subject) -> Proposal:
    """Something that is measured; not somebody who keeps an eye on it for a while."""
    watches = re.match(r"(?:monitor|watch|observe|track|keep an eye)\b", subject.title)
    measured = (
        "metrics_series",
        "metric_word",
        "cpu_memory",
        "database",
        "disk",
        "cache_server",
        "network",
        "metrics_noun",
    )
    if watches and not any(subject.says(group) for group in measured):
        return by_person(subject, "somebody keeps an eye on it", role="operator")
    return bound(
        subject,
        "prometheus_metrics",
        {"url": "{{ metrics_url }}"},
        "series that must be measured",
        ("metrics_url",),
        vantage="controller",
    )


def _secret_leak(subject: Subject) -> Proposal | None:
    if subject.near("container") or subject.near("image"):
        return bound(
            subject, "compose_secrets", {"stack": STACK}, "no secret in compose files or images"
        )
    return bound(
        subject, "secret_scan", {"path": "."}, "no secret in the code", vantage="controller"
    )


def _document(subject: Subject) -> Proposal:
    named = next(
        (f for f in subject.evidence.files if re.search(r"\.(?:md|rst|adoc|txt|html)$", f)), ""
    )
    given: dict[str, object] = {"path": named or "{{ path }}"}
    made = bound(
        subject,
        "document",
        given,
        "a document that must be there",
        () if named else ("path",),
        vantage="controller",
    )
    return replace(made, kind="document")


def _tables(subject: Subject) -> Proposal:
    names = [s for s in subject.evidence.spans if re.fullmatch(r"[a-z_][a-z0-9_]*", s)]
    given: dict[str, object] = {"database": "{{ dsn }}", "tables": names or "{{ tables }}"}
    return bound(
        subject,
        "database_tables",
        given,
        "tables that must exist",
        ("dsn",) if names else ("dsn", "tables"),
    )


def _unit_tests(subject: Subject) -> Proposal:
    return test_suite(subject, None)


_WITH_THOUGHT: dict[str, Recipe] = {
    "admin_page": page_of("a page that must answer"),
    "api_docs": page_of("an API document that must be served"),
    "api_endpoint": api,
    "api_key": env_vars,
    "certificate": certificate,
    "certificate_renewal": renewal,
    "container_state": _container_state,
    "container_up": _container_state,
    "cpu_memory": _usage,
    "cron": _cron,
    "database_password": secret_strength,
    "database_settings": env_vars,
    "database_table": _tables,
    "disk": _usage,
    "dns": dns,
    "documents": _document,
    "written_document": _document,
    "duty": _duty,
    "env_vars": env_vars,
    "firewall": _firewall,
    "gitignore": ignored,
    "health": health,
    "host_usage": _usage,
    "https_redirect": https_redirect,
    "log_rotation": _log_rotation,
    "monitoring": _monitoring,
    "no_new_privileges": _no_new_privileges,
    "non_root": _user,
    "one_header": one_header,
    "port_exposure": exposed_port,
    "program_version": named_program,
    "secret_leak": _secret_leak,
    "secret_strength": secret_strength,
    "service": _service,
    "site_over_https": page_of("a page that must answer over HTTPS"),
    "static_served": page_of("files that must be served"),
    "unit_tests": _unit_tests,
}


class _Answer(Document):
    """One entry of answers.yml: a check, or a person's role."""

    why: str
    person: str = ""
    check: str = ""
    given: dict[str, object] = pydantic.Field(default_factory=dict, alias="with")
    missing: tuple[str, ...] = ()
    vantage: Vantage = pydantic.Field(default="host", alias="from")
    become: bool = False


def concepts_with_a_recipe() -> frozenset[str]:
    """Every concept that this module knows an answer to."""
    return frozenset(_WITH_THOUGHT) | frozenset(_answers())


def answers_of_table() -> dict[str, tuple[str, dict[str, object]]]:
    """The check and its parameters for each concept that a table answers with a check."""
    return {name: (one.check, one.given) for name, one in _answers().items() if one.check}


def _answer(concept: str, subject: Subject) -> Proposal | None:
    """The answer to a concept: with thought where that is needed, else as the table says."""
    recipe = _WITH_THOUGHT.get(concept)
    if recipe:
        return recipe(subject)
    one = _answers()[concept]
    if one.person:
        return by_person(subject, one.why, role=one.person)
    return bound(
        subject,
        one.check,
        dict(one.given),
        one.why,
        one.missing,
        vantage=one.vantage,
        become=one.become,
    )


@functools.cache
def _answers() -> dict[str, _Answer]:
    text = resources.files(__package__).joinpath("answers.yml").read_text(encoding="utf-8")
    return from_plain(dict[str, _Answer], parse_yaml(text, where="answers.yml"))
