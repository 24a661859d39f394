"""The literal things a line names: commands, addresses, routes, settings, files, ports, versions,
domains. Read from its text, its code spans and its own fences; nothing is guessed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from verifier.checklist.commands import Command, Effect, commands_in, read_command

_SPAN = re.compile(r"`+([^`]+)`+")
_BOLD_NAME = re.compile(
    r"\*\*([^\s*`]*(?:[A-Z]_[A-Z]|/)[^\s*`]*?):?\*\*(?=[\s:]|$)"
)  # **logs/**, **A_KEY:**
_URL = re.compile(
    r"(?:https?|wss?)://[^\s`'\"<>)\]|，。、]*(?:<[^>\s]+>[^\s`'\"<>)\]|]*)?", re.IGNORECASE
)
_ROUTE = re.compile(
    r"(?:\b(?P<verb>GET|POST|PUT|PATCH|DELETE|HEAD)\s+)?(?<![\w.~/:-])(?P<route>/[A-Za-z0-9_{}:*-]+(?:/[A-Za-z0-9_{}:.*-]+)*/?|/)(?![\w.])"
)
_ASSIGNMENT = re.compile(
    r"\b(?P<key>[A-Z][A-Z0-9_]{1,60})\s?=\s?(?P<value>\"[^\"]*\"|'[^']*'|[^\s`,;()]+)"
)
_KEY = re.compile(r"(?<![\w.$/-])[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+(?![\w.(/-]|\*)")
_SPAN_KEY = re.compile(r"[A-Z][A-Z0-9_]{2,60}")
_FILE_END = (
    r"env|ya?ml|json|toml|ini|conf|cfg|cnf|sql|sh|bash|ps1|py|js|cjs|mjs|ts|tsx|jsx|rb|php|go|rs|java|kt|cs|html|css|md|rst|txt"
    r"|pdf|docx?|xlsx?|pem|crt|key|service|timer|log|db|sqlite3?|xml|properties|gradle|lock|example|sample|template|prod|production"
    r"|staging|local|tf|tfvars|hcl|j2|csv|zip|gz|tar|jar|war|dockerignore|gitignore|editorconfig|plist|apk|aab|keystore"
)
_PATH = re.compile(
    rf"(?<![A-Za-z0-9_@:/.-])(?P<path>(?:~/|\./|\.\./|/)?(?:[\w.@-]+/)*(?:[\w.@-]*\w\.(?:{_FILE_END})|Dockerfile(?:\.\w+)?|Makefile|Procfile|Caddyfile"
    r"|Jenkinsfile|LICENSE|README|CHANGELOG|\.env(?:\.[\w.]+)?|\.gitignore|\.dockerignore|\.nvmrc))(?![A-Za-z0-9_/-]|\.\w)"
)
_ROOTS = r"etc|var|opt|srv|home|usr|tmp|root|mnt|data|proc|boot|run|lib|bin|sbin|media|snap|Users|Library"
_FOLDER = re.compile(rf"^(?:~/|\./|/(?=(?:{_ROOTS})(?:/|$))|(?!/))(?:[\w.@-]+/)+(?:[\w.@-]+)?$")
_PORT = re.compile(
    r"(?:\bports?\b|포트|ポート|端口|連接埠|埠|\bpuertos?\b|\bportas?\b|\bпорт\w*|\bcổng)\s*(?:[:#=]|is|est|は|为)?\s*(?P<after>\d{2,5}(?:\s*(?:,|/|and|und|y|e|et|및|와|과|、|&)\s*\d{2,5})*)"
    r"|(?<![\d.:/])(?P<before>\d{2,5}(?:\s*/\s*\d{2,5})?)\s*(?:번\s?포트|번|番ポート|端口|埠|port\b|portu\b|포트)"
    r"|(?:localhost|127\.0\.0\.1|0\.0\.0\.0):(?P<local>\d{2,5})",
    re.IGNORECASE,
)
_ADDRESS = re.compile(
    r"(?<![\d.])(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?:25[0-5]|2[0-4]\d|1?\d?\d)){3}(?![\d.])"
)
_DOMAIN = re.compile(
    r"(?<![\w@./-])(?P<domain>(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+(?:com|net|org|io|dev|app|ai|kr|jp|de|fr|es|br|tr|vn|ru|uk|eu|cn|id|it|co|me|xyz|cloud|site|online|tech|info|gov|edu|us|ca|au|in|tw))(?![\w-]|\.\w)",
    re.IGNORECASE,
)
_PROGRAM = (
    r"node(?:\.?js)?|python|php|ruby|java|jdk|openjdk|go|golang|rust|docker compose|docker-compose|docker|git|nginx|apache|npm|pnpm|yarn"
    r"|pip|composer|postgresql|postgres|mysql|mariadb|redis|mongodb|certbot|pm2|kubectl|helm|terraform|ansible|gh|github cli|aws cli"
    r"|gcloud|ffmpeg|openssl|deno|bun|maven|gradle|\.net|dotnet|psql|sqlite3?|caddy|traefik|haproxy|supervisor"
)
_VERSION = re.compile(
    rf"(?<![A-Za-z0-9_.-])(?P<program>{_PROGRAM})(?: (?:version|runtime|engine|lts|버전|バージョン|版本))?(?: ?\(?v?| ?[:=] ?v?)(?P<relation>>=|≥|>|==?|~|\^)?\s?"
    r"(?P<version>\d+(?:\.(?:\d+|x))*)(?P<plus>\+| ?or (?:higher|newer|later|above)| ?이상| ?以上| ?ou superior| ?o superior| ?oder höher| ?veya üzeri| ?trở lên| ?и выше)?",
    re.IGNORECASE,
)
_NO_VALUE = re.compile(
    r"your|example|redacted|\bseu-|\bsu-dominio|\btu-dominio|\bvotre-|\bdein-|\bihre-|\bmeine?-|alanadi|sizin|ten-mien|\bваш|placeholder|change[-_ ]?me|xxx|<[^>]*>|\{[^}]*\}|\[[^\]]*\]|\$\{?\w|\bdomain\.(?:com|de|kr|net|org)|\.invalid|\.test$|yoursite|mydomain|도메인|ドメイン|域名|^api\.com$|^host$|^ip$|^server-ip",
    re.IGNORECASE,
)
_LONG = 100
_LOCAL = re.compile(r"^(?:localhost|127\.\d+\.\d+\.\d+|0\.0\.0\.0|\[::1\])$")


@dataclass(frozen=True, slots=True)
class Address:
    """A URL as it stands. `host` is empty when the document leaves it to the reader."""

    text: str
    host: str
    path: str
    is_local: bool

    @property
    def is_whole(self) -> bool:
        return bool(self.host)


@dataclass(frozen=True, slots=True)
class Version:
    program: str
    constraint: str
    span: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one line names, in the order it names it."""

    spans: tuple[str, ...]
    commands: tuple[Command, ...]
    addresses: tuple[Address, ...]
    routes: tuple[tuple[str, str], ...]  # method (GET where none is named) and route
    settings: tuple[tuple[str, str], ...]  # KEY=value
    keys: tuple[str, ...]
    files: tuple[str, ...]
    ports: tuple[int, ...]
    versions: tuple[Version, ...]
    domains: tuple[str, ...]
    ips: tuple[str, ...]
    begins_with: str  # file, key, url, route or empty: what the line itself is

    @property
    def own_command(self) -> Command | None:
        return self.commands[0] if self.commands else None


def evidence_in(title: str, code: tuple[str, ...] = ()) -> Evidence:
    """What `title` (a line in Markdown) and its own `code` name."""
    about = _first_sentence(title)
    about = _BOLD_NAME.sub(r"`\1`", about)
    spans = tuple(span.strip() for span in _SPAN.findall(about))
    commands = [c for span in spans if (c := read_command(span)) and not _only_names(span)]
    for bracket in re.findall(r"[（(]([a-z][\w./-]* [^()（）`]{2,80})[)）]", about):
        command = read_command(bracket)
        if command and command.effect in (Effect.READ, Effect.TEST, Effect.BUILD, Effect.MIGRATE):
            commands.append(command)
    for block in code:
        commands += [command for _, command in commands_in(block)]
    bare = _SPAN.sub(r"\1", about).replace("**", "")
    outside_commands = bare
    for command in commands:
        outside_commands = outside_commands.replace(command.text, " ")
    addresses = _addresses(bare, commands)
    without_urls = _URL.sub(" ", outside_commands)
    files = _files(without_urls, spans)
    settings = tuple(
        (m["key"], m["value"].strip("\"'")) for m in _ASSIGNMENT.finditer(without_urls)
    )
    keys = _keys(without_urls, spans, settings)
    return Evidence(
        spans=spans,
        commands=tuple(commands),
        addresses=addresses,
        routes=_routes(without_urls, spans, files),
        settings=settings,
        keys=keys,
        files=files,
        ports=_ports(bare),
        versions=versions_in(bare),
        domains=tuple(
            m["domain"]
            for m in _DOMAIN.finditer(without_urls)
            if not _NO_VALUE.search(m["domain"]) and m["domain"] not in files
        ),
        ips=tuple(_ADDRESS.findall(without_urls)),
        begins_with=_beginning(title, files, keys),
    )


def address_of(text: str) -> Address:
    """A URL's parts; a placeholder such as yourdomain.com or <host> is no host."""
    cleaned = text.rstrip(".,;:!?*")
    try:
        parts = urlsplit(cleaned)
        host = parts.hostname or ""
    except ValueError:  # brackets that are no IPv6 address: a placeholder
        rest = cleaned.split("//", 1)[-1]
        return Address(cleaned, "", "/" + rest.split("/", 1)[1] if "/" in rest else "/", False)
    authority = cleaned.split("//", 1)[-1].split("/", 1)[0]
    known = bool(host) and not _NO_VALUE.search(authority)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    return Address(cleaned, host if known else "", path or "/", bool(_LOCAL.match(host)))


def is_placeholder(value: str) -> bool:
    """A value that stands for one: yourdomain.com, <token>, {id}, changeme."""
    return bool(_NO_VALUE.search(value))


def versions_in(text: str) -> tuple[Version, ...]:
    found = []
    for match in _VERSION.finditer(text):
        number = match["version"].rstrip(".x").rstrip(".")
        relation = (match["relation"] or "").replace("≥", ">=").replace("=", "==", 1)
        relation = ">=" if match["plus"] or match["relation"] in (">=", "≥", "^") else relation
        found.append(
            Version(match["program"].lower(), f"{relation}{number}", match.group(0).strip())
        )
    return tuple(found)


def _first_sentence(title: str) -> str:
    """What a long line says first is what it is about; what follows explains."""
    if len(title) <= _LONG:
        return title
    hidden = _SPAN.sub(lambda m: "¤" * len(m.group(0)), title)
    end = re.search(r"\.\s|。|\s[—–]\s", hidden[20:])
    return title[: end.start() + 20] if end else title


def _addresses(text: str, commands: list[Command]) -> tuple[Address, ...]:
    in_commands = [word for c in commands for words in c.parts for word in words]
    found = [m.group(0) for m in _URL.finditer(text)]
    found += [m.group(0) for word in in_commands for m in _URL.finditer(word)]
    return tuple(address_of(url) for url in dict.fromkeys(found))


def _files(text: str, spans: tuple[str, ...]) -> tuple[str, ...]:
    found = [m["path"] for m in _PATH.finditer(text)]
    found += [s for s in spans if _FOLDER.match(s) and not s.startswith("/api") and s in text]
    return tuple(dict.fromkeys(f for f in found if not _DOMAIN.fullmatch(f) and not _is_library(f)))


def _is_library(name: str) -> bool:
    return bool(
        re.fullmatch(
            r"(?:Node|Next|Vue|Nuxt|React|Express|Three|Chart|Helmet|Socket)\.(?:js|io)|ASP\.NET",
            name,
            re.IGNORECASE,
        )
    )


def _keys(
    text: str, spans: tuple[str, ...], settings: tuple[tuple[str, str], ...]
) -> tuple[str, ...]:
    found = [key for key, _ in settings]
    found += [s for s in spans if _SPAN_KEY.fullmatch(s) and not s.isdigit()]
    found += _KEY.findall(text)
    verbs = ("GET", "POST", "PUT", "PATCH", "DELETE", "TODO", "API", "SSL", "CORS")
    return tuple(dict.fromkeys(key for key in found if key not in verbs))


def _routes(
    text: str, spans: tuple[str, ...], files: tuple[str, ...]
) -> tuple[tuple[str, str], ...]:
    found = []
    for match in _ROUTE.finditer(text):
        route = match["route"]
        alone = any(s == route or s == match.group(0) for s in spans)
        sensible = (
            match["verb"]
            or alone
            or route.startswith(
                (
                    "/api",
                    "/health",
                    "/docs",
                    "/v1",
                    "/status",
                    "/ready",
                    "/metrics",
                    "/swagger",
                    "/admin",
                    "/login",
                )
            )
        )
        if sensible and route not in files and not re.match(rf"/(?:{_ROOTS})(?:/|$)", route):
            found.append((match["verb"] or "GET", route))
    return tuple(dict.fromkeys(found))


def _ports(text: str) -> tuple[int, ...]:
    found: list[int] = []
    for match in _PORT.finditer(text):
        numbers = match["after"] or match["before"] or match["local"] or ""
        found += [int(n) for n in re.findall(r"\d{2,5}", numbers)]
    return tuple(dict.fromkeys(n for n in found if n < 65536))  # noqa: PLR2004  the last port


def _only_names(span: str) -> bool:
    """A path or a setting is no command, though `./x.sh` is."""
    return bool(_ASSIGNMENT.fullmatch(span) or (_FOLDER.match(span) and not span.startswith("./")))


def _beginning(title: str, files: tuple[str, ...], keys: tuple[str, ...]) -> str:
    start = re.sub(r"^[\W_]*?(?=[`\w./~])", "", title.replace("**", "")).lstrip("`")
    for kind, names in (("file", files), ("key", keys)):
        if any(start.startswith(name) for name in names):
            return kind
    if _URL.match(start):
        return "url"
    return "route" if re.match(r"(?:(?:GET|POST|PUT|PATCH|DELETE|HEAD) )?/[\w{]", start) else ""
