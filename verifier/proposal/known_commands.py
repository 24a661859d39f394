"""Commands whose purpose is known: what somebody who types them wants to see, as a check. Nothing is
run to find out; a command that is not here stays a person's to review.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Literal

from verifier.checklist.commands import Command, Effect
from verifier.proposal.evidence import address_of, versions_in
from verifier.proposal.limits import limits_in
from verifier.proposal.measured import capacity
from verifier.proposal.proposal import PROJECT, STACK, Proposal
from verifier.proposal.subject import Subject

_Maker = Callable[[Command, Subject, re.Match[str]], "Proposal | None"]


def check_of(command: Command, subject: Subject) -> Proposal | None:
    """The check that looks at what `command` would show; None when that is not known."""
    if command.effect is not Effect.READ or not command.words:
        return None
    text = " ".join(command.words)
    for pattern, maker in _KNOWN:
        match = re.match(pattern, text, re.IGNORECASE)
        if match:
            return maker(command, subject, match)
    return None


def _plain(check: str, given: dict[str, object], why: str, *missing: str) -> _Maker:
    def maker(_: Command, subject: Subject, __: re.Match[str]) -> Proposal:
        return _made(subject, check, dict(given), why, missing)

    return maker


def _says(
    matches: tuple[str, ...] = (),
    *,
    lacks: tuple[str, ...] = (),
    silent: bool = False,
    here: bool = False,
    become: bool = False,
) -> _Maker:
    """The command itself, with the words it says when all is well."""

    def maker(command: Command, subject: Subject, _: re.Match[str]) -> Proposal | None:
        if len(command.parts) > 1:
            return None
        given: dict[str, object] = {"argv": list(command.words)}
        if matches:
            given["matches"] = list(matches)
        if lacks:
            given["lacks"] = list(lacks)
        if silent:
            given["silent"] = True
        vantage: Literal["host", "controller"] = "controller" if here else "host"
        made = _made(
            subject,
            "command",
            given,
            "a command that only reads, and what it says when all is well",
        )
        return replace(made, vantage=vantage, become=become)

    return maker


def _http(command: Command, subject: Subject, _: re.Match[str]) -> Proposal | None:
    found = next(
        (w for w in command.words if re.match(r"(?:https?://|localhost|127\.|[\w.-]+\.\w+/)", w)),
        "",
    )
    if not found:
        placeholder = next((w for w in command.words[1:] if "/" in w and not w.startswith("-")), "")
        found = f"http://{placeholder}" if placeholder else ""
    if not found:
        return None
    address = address_of(found if "://" in found else f"http://{found}")
    if subject.says("certificate_word") and address.is_whole and not address.is_local:
        return replace(
            _made(subject, "certificate", {"domain": address.host}, "a certificate that must hold"),
            vantage="controller",
        )
    given: dict[str, object] = {
        "url": address.text if address.is_whole else "{{ base_url }}" + address.path
    }
    if (
        re.search(r"\bredirect|리다이렉|リダイレクト|重定向", subject.title)
        and address.text.startswith("http://")
        and address.is_whole
        and not address.is_local
    ):
        return replace(
            _made(
                subject,
                "https_redirect",
                {"url": address.text},
                "plain HTTP that must lead to HTTPS",
            ),
            vantage="controller",
        )
    made = _made(
        subject,
        "http",
        given,
        "an address that must answer",
        () if address.is_whole else ("base_url",),
    )
    return replace(made, vantage="host" if address.is_local else "controller")


def _program(command: Command, subject: Subject, match: re.Match[str]) -> Proposal:
    name = match["name"].rsplit("/", 1)[-1]
    wanted = [v for v in versions_in(subject.line.title.replace(command.text, " ")) if v.constraint]
    given: dict[str, object] = {"name": name}
    if wanted:
        given["version"] = wanted[0].constraint
    words = list(command.words[1:])
    if words != ["--version"]:
        given["argv"] = words
    return _made(subject, "program", given, "a program that must be installed")


def _service(_: Command, subject: Subject, match: re.Match[str]) -> Proposal:
    name = match["name"].removesuffix(".service")
    if re.search(r"[<{$]", name):
        return _made(
            subject, "service", {"name": "{{ service }}"}, "a service that must run", ("service",)
        )
    return _made(subject, "service", {"name": name}, "a service that must run")


def _dns(_: Command, subject: Subject, match: re.Match[str]) -> Proposal:
    name = match["name"]
    if address_of(f"http://{name}").is_whole:
        return replace(
            _made(subject, "dns", {"name": name}, "a name that must resolve"), vantage="controller"
        )
    return replace(
        _made(subject, "dns", {"name": "{{ domain }}"}, "a name that must resolve", ("domain",)),
        vantage="controller",
    )


def _container_env(command: Command, subject: Subject, match: re.Match[str]) -> Proposal:
    """`exec app env | grep -E "A|B"`: the settings a container really has."""
    words = [word for part in command.parts[1:] for word in part if part[0].endswith("grep")]
    keys = [key for word in words for key in re.findall(r"[A-Z][A-Z0-9_]{2,}", word)]
    given: dict[str, object] = {"stack": STACK, "service": match["name"]}
    given["keys"] = list(dict.fromkeys(keys)) or "{{ keys }}"
    return _made(
        subject, "container_env", given, "settings a container must have", () if keys else ("keys",)
    )


def _usage(_: Command, subject: Subject, match: re.Match[str]) -> Proposal | None:
    if re.search(r"\d\s?(?:GB|GiB|TB)\b", subject.line.title, re.IGNORECASE):
        enough = capacity(subject)
        if enough:
            return enough
    key = "disk_percent" if match.group(0).startswith(("df", "du")) else "memory_percent"
    limit = next((x for x in limits_in(subject.title) if x.unit == "%" and x.is_upper), None)
    if limit:
        return _made(subject, "host_usage", {key: limit.value}, f"understood as {limit}")
    return _made(
        subject,
        "host_usage",
        {key: "{{ threshold }}"},
        "how much of the host is used",
        ("threshold",),
    )


def _there(_: Command, subject: Subject, match: re.Match[str]) -> Proposal | None:
    path = match["path"]
    if re.search(r"[<>$*{|]", path) or path.startswith("-"):
        return None
    if subject.says("backup"):
        given = {
            "directory": path.rstrip("/"),
            "pattern": "*",
            "marker": ".",
            "checksum": False,
            "mode": "",
        }
        return _made(subject, "backup_file", given, "a backup that must be fresh")
    kind = {"kind": "directory"} if path.endswith("/") else {}
    where = path if path.startswith(("/", "~")) else "{{ deploy_root }}/" + path.removeprefix("./")
    return _made(
        subject, "file", {"path": where, **kind}, "something that must be there, and not empty"
    )


def _git_status(_: Command, subject: Subject, __: re.Match[str]) -> Proposal:
    return replace(
        _made(subject, "git_state", {"clean": True}, "a working copy that must hold no surprise"),
        vantage="controller",
    )


def _port(_: Command, subject: Subject, match: re.Match[str]) -> Proposal:
    return _made(subject, "port", {"number": int(match["port"])}, "a port that must be open")


def _made(
    subject: Subject, check: str, given: dict[str, object], why: str, missing: tuple[str, ...] = ()
) -> Proposal:
    return Proposal(subject.line, "needs_value" if missing else "check", check, given, missing, why)


_COMPOSE = r"docker(?:-compose| compose)(?: -\S+ \S+| --\S+ \S+)*?"


_RUN = r"(?:npx |pnpm (?:exec )?|yarn |bunx |poetry run |uv run |python3? -m )?"


_NO_ERRORS = (r"(?i)\berror\b", r"(?i)\b[1-9]\d* (?:errors?|problems?)\b")


_KNOWN: tuple[tuple[str, _Maker], ...] = (
    (r"(?:curl|wget|http|invoke-(?:restmethod|webrequest))\b", _http),
    (r"(?:nslookup|dig(?: \+\w+)*|host|getent hosts)(?: -\S+)* (?P<name>[\w.<>{}-]+)", _dns),
    (r"(?:nslookup|dig|host|ping)$", _plain("dns", {"name": "{{ domain }}"}, "a name that must resolve", "domain")),
    (r"systemctl (?:--\S+ )*(?:status|is-active) (?P<name>[\w@.<>{}$-]+)", _service),
    (r"service (?P<name>[\w@.<>{}$-]+) status", _service),
    (r"(?P<name>(?:[\w./-]+/)?[\w.+-]+) (?:--version|-version|-v|-V|version)$", _program),
    (r"(?:nginx|openresty) -t", _says(("syntax is ok", "test is successful"), become=True)),
    (r"(?:apachectl|apache2ctl|httpd) (?:configtest|-t)", _says(("Syntax OK",), become=True)),
    (r"sshd -t|visudo -c|php-fpm\S* -t", _says(lacks=_NO_ERRORS, become=True)),
    (r"certbot renew .*--dry-run", _says(("(?i)all simulated renewals succeeded",), become=True)),
    (r"certbot certificates", _says(("VALID",), lacks=("INVALID", "EXPIRED"), become=True)),
    (r"ufw status", _says(("^Status: active",), become=True)),
    (r"firewall-cmd --state", _says(("^running",), become=True)),
    (r"gh auth status", _says(("Logged in to",), here=True)),
    (rf"{_COMPOSE} config", _plain("compose_config", {"stack": STACK}, "compose files that must be valid together")),
    (rf"{_COMPOSE} exec(?: -\S+)* (?P<name>[\w-]+) (?:env|printenv)\b", _container_env),
    (rf"docker ps|{_COMPOSE} ps", _plain("container_state", {"stack": STACK}, "containers that must run, and stay running")),
    (r"docker stats", _plain("container_usage", {"project": PROJECT}, "what containers use of what they may")),
    (rf"(?:docker|{_COMPOSE}) logs", _plain("container_logs", {"project": PROJECT}, "logs without errors")),
    (r"df\b|free\b", _usage),
    (r"(?:du -\w+|ls(?: -\w+)*|stat|test -[fdes]) (?P<path>\S+)$", _there),
    (r"git status", _git_status),
    (r"(?:nc -\w*z\w*|telnet) (?:localhost|127\.0\.0\.1) (?P<port>\d+)", _port),
    (r"redis-cli ping", _says(("^PONG",))),
    (r"pg_isready", _says(("accepting connections",))),
    (r"mysqladmin .*ping", _says(("mysqld is alive",))),
    (rf"{_RUN}tsc .*--noEmit|{_RUN}vue-tsc .*--noEmit|gofmt -l|go vet", _says(silent=True, here=True)),
    (rf"{_RUN}ruff (?:check)?", _says(("All checks passed",), here=True)),
    (rf"{_RUN}mypy|{_RUN}pyright", _says(("(?:Success: no issues found|0 errors)",), here=True)),
    (rf"{_RUN}(?:flake8|eslint|stylelint|shellcheck|hadolint|yamllint)\b", _says(silent=True, here=True)),
    (rf"{_RUN}black .*--check", _says(("would be left unchanged",), lacks=("would reformat",), here=True)),
    (rf"{_RUN}prettier .*(?:--check|-c)\b", _says(("All matched files use Prettier code style",), here=True)),
    (rf"{_RUN}(?:pip-audit|bandit)\b", _says(("(?i)no (?:known vulnerabilities|issues)",), here=True)),
    (r"npm audit", _says(("found 0 vulnerabilities",), here=True)),
    (r"(?:npm|pnpm|yarn|bun)(?: run)? (?:lint|type-?check|check-types|check:types|tsc)(?::\w+)?(?= |$)(?!.*--fix)", _says(lacks=(*_NO_ERRORS, "npm ERR!"), here=True)),
    (r"terraform validate", _says(("configuration is valid",), here=True)),
    (rf"(?:python3? )?\S*manage\.py check|{_RUN}django-admin check", _says(("System check identified no issues",))),
    (rf"{_RUN}prisma validate", _says(("is valid",), here=True)),
    (rf"{_RUN}prisma migrate status", _says(("(?i)database schema is up to date",))),
    (r"(?:python3? )?\S*manage\.py (?:migrate .*--check|makemigrations .*--check)", _says(lacks=(r"\[ \]", "(?i)would be"))),
    (r"php artisan migrate:status", _says(("Ran",), lacks=("Pending", "No migrations"))),
    (r"kubectl get (?:pods?|po|deploy\w*)\b", _says(("(?:Running|[1-9]\\d*/[1-9])",), lacks=("CrashLoopBackOff|Error|Pending|ImagePullBackOff|Evicted",), here=True)),
    (r"kubectl rollout status", _says(("successfully rolled out",), here=True)),
    (r"crontab -l", _plain("cron_job", {"matches": "{{ command }}"}, "a job that must be scheduled", "command")),
    (r"pm2 (?:list|ls|status|show|describe)\b", _plain("command", {"argv": ["pm2", "jlist"], "matches": ['"status":"online"'], "lacks": ['"status":"(?:errored|stopped|launching)"']}, "processes that PM2 must keep online")),
    (r"openssl s_client .*-connect (?P<name>[\w.-]+):", lambda _, s, m: replace(_made(s, "certificate", {"domain": m["name"]}, "a certificate that must hold"), vantage="controller")),
)  # fmt: skip
