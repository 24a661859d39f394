"""What is known of the commands that checklists quote: which only read, which change or destroy
something, which never end, which cannot fail. Words about commands; nothing here runs one.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from enum import StrEnum


class Effect(StrEnum):
    """What running it would do to the host. Only `READ` and `TEST` may become a check."""

    READ = "read"
    TEST = "test"  # runs a test suite of the project, as its name says
    BUILD = "build"
    MIGRATE = "migrate"
    WRITE = "write"
    DESTROY = "destroy"
    ENDLESS = "endless"  # waits for a person, or for ever
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Command:
    """One line of shell: its simple commands as words, and what the whole line would do."""

    text: str
    parts: tuple[tuple[str, ...], ...]
    effect: Effect
    cannot_fail: bool = False

    @property
    def words(self) -> tuple[str, ...]:
        """The first simple command; empty when there is none."""
        return self.parts[0] if self.parts else ()


_COMPOSE = (
    r"docker(?:-compose| compose)(?: (?:-f|--file|-p|--project-name|--env-file|--profile|--project-directory)"
    r"[ =]\S+| --[\w-]+=\S+| --(?:ansi|compatibility|verbose))*"
)
_RUNNER = r"(?:npx |pnpm (?:exec |dlx )?|yarn |bunx |poetry run |pipenv run |uv run |bundle exec |python3? -m |\S*/?bin/)?"
_SCRIPT = r"(?:npm|pnpm|yarn|bun)(?: run)? "

# Looked for in this order: what is worse wins.
_ENDLESS = (
    r"(?:docker|podman|kubectl|pm2|heroku|fly|oc)\b.* logs?\b.*(?: -\w*f\w*\b| --follow| --tail$)",
    rf"{_COMPOSE} logs\b.*(?: -\w*f\w*\b| --follow)",
    r"(?:tail|journalctl)\b.* (?:-\w*f\w*\b|-F\b|--follow)",
    r"pm2 (?:monit|logs)\b(?!.*--nostream)",
    r"(?:top|htop|iotop|iftop|nethogs|ctop|watch|vi|vim|nano|emacs|visudo|less|more)\b(?!.* -b\b)",
    r"docker stats\b(?!.*--no-stream)",
    r"kubectl get\b.* (?:-w|--watch)\b",
    r"ping (?!.*-c ?\d)",
    rf"{_COMPOSE} up\b(?!.* (?:-d|--detach|--no-start|--wait)\b)",
    r"(?:uvicorn|gunicorn|hypercorn|daphne|flask run|nodemon|serve)\b(?!.*(?:--daemon|-D\b|--version))",
    r"python3? \S*manage\.py runserver|php artisan serve|rails s(?:erver)?\b|ng serve|next (?:dev|start)",
    rf"{_SCRIPT}(?:start|dev|serve|preview|watch)\b",
    r"ssh (?!-?\S*keygen)(?:-\S+ (?:\S+ )?)*[\w.@<>{}$-]+$",
    r"(?:psql|mysql|mariadb|mongo|mongosh|redis-cli|sqlite3|sqlcmd)(?: -[UhpPdDSuHTa] ?\S+| --\w+=\S+)*(?: \w+)?$",
    r"crontab -e|python3?$|node$|bash$|sh$|telnet\b",
)
_DESTROY = (
    r"rm (?:-\w*[rRf]|.*--recursive)",
    r"docker (?:system|volume|image|container|network|builder|buildx) prune|docker-compose rm|docker rmi?\b|docker volume rm",
    rf"{_COMPOSE} down\b.* (?:-v\b|--volumes|--rmi)",
    r"git (?:reset --hard|clean -|push .*(?:--force|-f)\b|branch -D|checkout -- )",
    r"(?:.*\b)?(?:drop|truncate) (?:table|database|schema|column|index|user|role)\b|.*\bdelete from\b",
    r"(?:mkfs|dd|shred|wipefs|fdisk|parted)\b",
    r".*\b(?:migrate[: ]reset|migrate:fresh|db:drop|db:reset|migrate:rollback|db push --force-reset)\b",
    r"kubectl (?:delete|drain)|helm (?:uninstall|delete)|terraform destroy|pm2 (?:delete|kill)|dropdb\b",
    r".*\b(?:flushall|flushdb)\b",
)
_MIGRATE = (
    rf"{_RUNNER}alembic (?:-\S+ \S+ )*(?:upgrade|stamp)",
    rf"{_RUNNER}prisma (?:migrate (?:deploy|dev)|db push)",
    r"(?:python3? )?\S*manage\.py migrate\b(?!.* (?:--check|--plan))",
    rf"{_SCRIPT}\S*migrat\S*(?!.*(?:status|show|list|pending))",
    r"php artisan migrate(?!:status)|(?:bin/|bundle exec )?(?:rails|rake) db:(?:migrate|schema:load)(?!:status)",
    rf"{_RUNNER}(?:typeorm|knex|sequelize|sequelize-cli|mikro-orm|drizzle-kit)\b.*\b(?:migration:run|migrate:latest|db:migrate|migration:up|migrate|push)\b(?!:(?:status|show))",
    r"(?:flyway|goose|dbmate|liquibase|migrate|sqlx migrate)\b.* (?:up|migrate|update|run)\b|dotnet ef database update",
    r"flask db upgrade|aerich upgrade|diesel migration run",
)
_TEST = (
    rf"{_SCRIPT}(?:test|t|e2e|vitest|jest)\b(?!\S*(?:watch|deploy|ui))",
    r"npm t\b|bun test",
    rf"{_RUNNER}(?:pytest|py\.test|tox|nox|nosetests|unittest|jest|vitest|mocha|ava|playwright test|cypress run|karma start --single-run|phpunit|pest|rspec|behave|ctest)\b",
    r"(?:go|cargo|dotnet|mix|flutter|dart|swift|bazel|deno|zig|lein|sbt|mvn|\./mvnw|gradle|\./gradlew)(?: -\S+)* (?:test|nextest run|verify|check)\b",
    r"php artisan test|(?:bin/)?(?:rails|rake) (?:test|spec)\b|make (?:test|check)\b|(?:python3? )?\S*manage\.py test",
    r"python3? \S*tests?\S*\.py\b|node \S*test\S*\.[cm]?js|bash \S*test\S*\.sh|(?:\./)\S*test\S*\.sh",
)
_BUILD = (
    rf"{_SCRIPT}(?:build|bundle|compile|generate|export|pack)\S*",
    rf"{_COMPOSE} build|docker (?:buildx )?build|podman build",
    r"(?:next|vite|nuxt|ng|astro|gatsby|webpack|rollup|esbuild|hugo|tsc|turbo|nx|expo|flutter|electron-builder)\b.*\bbuild\b|npx tsc$|tsc$",
    r"(?:mvn|\./mvnw|gradle|\./gradlew|cargo|go|dotnet|make|composer|bundle|bazel|sbt)\b.* (?:package|assemble|build|publish|install|dump-autoload)\b|make$",
    r"(?:npm|pnpm|yarn|bun)(?: (?:ci|i|install))\b.*|yarn$|pip3? install|poetry install|uv sync|bundle install|composer install",
)
_READ = (
    rf"{_SCRIPT}(?:lint|type-?check|check-types|check:types|tsc|format:check)(?::\w+)?(?= |$)(?!.*--fix)",
    r"(?:cat|head|tail|grep|egrep|fgrep|zgrep|rg|ls|ll|tree|stat|du|df|free|uptime|w|who|whoami|id|hostname|uname|date|printenv|env|which|whereis|type|pwd|wc|sort|uniq|cut|tr|jq|yq|column|ss|netstat|lsof|ps|pgrep|dig|nslookup|host|getent|file|md5sum|sha1sum|sha256sum|cmp|diff|nproc|lscpu|lsblk|findmnt|lspci|vmstat|iostat|mpstat|sar|locale|getfacl|getenforce|sestatus|test|\[|echo|true|ip a|ip addr|ip route|ulimit|last|lastlog|aa-status|readlink|realpath|basename|dirname|xargs|mount)(?: (?!.*(?:>>?[^&]|-exec|-delete)).*)?$",
    r"find (?!.*(?:-exec|-delete|-ok)).*",
    r"(?:awk|sed) (?!.*(?:-i\b|system\())(?!.*>).*",
    r"top .*-b|ping .*-c ?\d.*|nc -\w*z\w* .*|command -v \S+|sleep \d+",
    r"curl\b(?!.*(?: -X ?(?!GET|HEAD|OPTIONS)\w| --request[ =](?!GET|HEAD|OPTIONS)| -d\b| --data|(?-i: -F\b)| --form|(?-i: -T\b)| -[oO]\b| --output| --upload-file| --json|\| ?(?:sudo )?(?:ba)?sh)).*",
    r"wget\b(?=.*(?: --spider| -q?O ?-)).*|http (?!.*(?:POST|PUT|PATCH|DELETE|:=|=)).*|invoke-(?:restmethod|webrequest)\b(?!.*-method (?!get)).*",
    r"openssl (?:x509|s_client|verify|version|crl|req -text|rand).*",
    r"systemctl (?:--\S+ )*(?:status|is-active|is-enabled|is-failed|show|cat|list-\S+).*|service \S+ status|supervisorctl status.*|rc-service \S+ status|/etc/init\.d/\S+ status",
    r"journalctl\b(?!.*(?:--vacuum|--rotate|--flush)).*|dmesg.*|loginctl.*|timedatectl(?: status)?$|hostnamectl(?: status)?$|chronyc (?:tracking|sources).*|ntpq -p.*",
    r"ufw status.*|firewall-cmd --(?:list|state|get|query).*|nft list.*|ip6?tables(?:-save| .*(?:-L|-S|--list).*)$|fail2ban-client status.*",
    rf"docker (?:container |image |network |volume |context |node |service |stack )?(?:ps|ls|images|inspect|logs|port|top|version|info|history|diff|stats --no-stream|--version|-v|search|events --until)\b.*|{_COMPOSE} (?:ps|config|logs|images|top|port|version|ls)\b.*|docker-compose --version",
    rf"(?:docker|{_COMPOSE}) exec(?: -\S+)* \S+ (?:cat|env|printenv|ls|id|whoami|ps|pg_isready|redis-cli ping|nginx -t|php -v|python3? --version|node -v|df|free|date)\b.*",
    r"kubectl (?:-\S+ \S+ )*(?:get|describe|logs|top|version|explain|api-resources|cluster-info|rollout (?:status|history)|auth can-i|config (?:view|current-context|get-contexts)|diff)\b.*|helm (?:list|ls|status|get|history|lint|template|version|diff).*|k9s version",
    r"git (?:-\S+ \S+ )*(?:status|log|diff|show|branch(?: --?(?:show-current|a|v+|r|list|merged)\b.*)?$|remote(?: -v| show.*)?$|rev-parse|describe|ls-files|ls-remote|ls-tree|tag(?: -l.*| --list.*)?$|check-ignore|config --(?:get|list)|grep|shortlog|blame|fetch --dry-run|stash list|fsck|cherry|rev-list|name-rev|submodule status).*",
    r"pm2 (?:list|ls|status|show|describe|jlist|prettylist|info|logs .*--nostream.*|--version|-v)\b.*",
    r"nginx -[tTvV].*|(?:apachectl|apache2ctl|httpd) (?:configtest|-t|-S|-v).*|caddy (?:validate|version).*|haproxy -c.*|sshd -[tT].*|named-checkconf.*|php-fpm\S* -t|traefik version|visudo -c.*|postfix check",
    r"certbot (?:certificates|renew .*--dry-run|--version).*|crontab -l.*|atq|at -l|logrotate (?:-d|--debug).*",
    r"(?:psql|pg_isready)\b(?=.*(?:-c ?['\"]? ?(?:select|show|explain|\\+[dlx])|-l\b|pg_isready|--version|\\d)).*|pg_isready.*",
    r"(?:mysql|mariadb)\b(?=.*-e ?['\"]? ?(?:select|show|describe|explain|status)).*|mysqladmin .*(?:ping|status|version).*|mongosh?\b.*--eval .*(?:ping|stats|status|find|count).*|sqlite3 .*(?:select|\.tables|\.schema|pragma).*",
    r"redis-cli\b(?=.* (?:ping|info|get|keys|dbsize|config get|client list|ttl|exists|--version)\b)(?!.* (?:set|del|flush\w+|shutdown|config set)\b).*",
    r"\S+ (?:--version|-version|version|-v|-V|--help)$|(?:node|python3?|ruby|java|go|php|perl|rustc) (?:-v|-V|--version|version|-version)\b.*",
    r"(?:npm|pnpm|yarn) (?:ls|list|audit(?! fix)|outdated|view|info|why|whoami|config (?:get|list)|licenses)\b.*|pip3? (?:check|list|freeze|show|audit)\b.*|gem list.*|composer (?:validate|show|outdated|audit|check-platform-reqs).*|bundle (?:list|check|outdated|audit).*|cargo (?:audit|tree|clippy|fmt .*--check|deny)\b.*|go (?:vet|version|env|list|mod verify)\b.*",
    rf"{_RUNNER}(?:tsc .*--noEmit.*|eslint (?!.*--fix).*|ruff (?:check(?!.*--fix)|format --check).*|ruff (?!.*--fix)\S+|mypy\b.*|pyright.*|flake8.*|pylint.*|black .*--check.*|isort .*--check.*|prettier .*(?:--check|-c\b|-l\b).*|stylelint (?!.*--fix).*|bandit.*|pip-audit.*|safety (?:check|scan).*|shellcheck.*|hadolint.*|yamllint.*|ansible-lint.*|phpstan.*|psalm.*|rubocop(?!.*-[aA]).*|brakeman.*|golangci-lint run(?!.*--fix).*|gofmt -l.*|ktlint(?!.*-F).*|vue-tsc .*--noEmit.*|depcheck.*|trivy .*|gitleaks .*|semgrep .*|lighthouse .*|lhci .*|markdownlint.*|actionlint.*|kubeconform.*|kubeval.*|promtool check.*|amtool check.*|docker scout .*|snyk test.*|npm-check.*|alembic (?:current|history|heads|check|branches|show).*|prisma (?:migrate status|validate|format --check).*|typeorm\b.*migration:show.*|knex\b.*migrate:(?:status|list|currentVersion).*|sequelize(?:-cli)?\b.*db:migrate:status.*|celery .*(?:status|inspect).*|rq info.*|flask (?:routes|db (?:current|history|check)).*)",
    r"(?:python3? )?\S*manage\.py (?:check|showmigrations|migrate .*(?:--check|--plan)|makemigrations .*--check|diffsettings|version|sqlmigrate)\b.*",
    r"php artisan (?:migrate:status|route:list|about|schedule:list|queue:failed|config:show|env|list|--version)\b.*|(?:bin/|bundle exec )?(?:rails|rake) (?:db:(?:migrate:status|version|abort_if_pending_migrations)|routes|about|stats|-T|zeitwerk:check)\b.*",
    r"terraform (?:validate|plan|show|output|state list|fmt .*-check|version|providers).*|ansible .*(?:--list-hosts|-m (?:ansible\.builtin\.)?ping\b).*|ansible-inventory .*|ansible-playbook .*--(?:syntax-check|check|list-\S+).*|packer validate.*",
    r"aws (?!.*(?:create|delete|put|update|deploy|terminate|run-|start-|stop-|modify|s3 (?:rm|cp|mv|sync))).*(?:describe|get|list|ls|head|wait|whoami).*|gcloud (?!.*(?:create|delete|deploy|update|add)).*(?:list|describe|get|read|info).*|az (?!.*(?:create|delete|update|set)).*(?:list|show|get).*|gh (?:auth status|\S+ (?:list|view|status|checks)|api (?!.*-X)).*|heroku (?:ps|config|info|releases|logs$|status).*|vercel (?:ls|inspect|whoami|env ls).*|(?:fly|flyctl) (?:status|info|releases|checks list).*|wrangler (?:whoami|deployments list|tail --once).*|netlify status.*|firebase (?:projects:list|functions:list|apps:list|use$).*|doctl .*(?:list|get).*|railway (?:status|variables$)|supabase (?:status|projects list|migration list).*|eb status.*|stripe .* list.*",
    r"dpkg (?:-l|-s|-L|--list|--status|--get-selections).*|rpm -q.*|apt list.*|apt-cache (?:policy|show|search).*|yum list.*|dnf (?:list|info).*|snap list.*|brew list.*|sysctl (?:-n |-a)?[\w.]+$|modprobe -n.*|lsmod",
    r"rabbitmqctl (?:status|list_\S+|cluster_status|ping).*|rabbitmq-diagnostics.*|kafka-topics\S* .*--(?:list|describe).*|nodetool status.*|etcdctl (?:get|endpoint (?:health|status)|member list).*|consul members.*|vault status.*|nomad status.*|crictl ps.*",
)
_WRITE = (
    r".*(?:[^<>&\d\s-]|\s)>>?\s*(?!/dev/null|&)\S+",
    r"(?:cp|mv|mkdir|touch|ln|chmod|chown|tee|rsync|scp|tar|unzip|gzip|install|useradd|usermod|adduser|passwd|groupadd|kill|pkill|killall|reboot|shutdown|export|source|cd|apt|apt-get|yum|dnf|apk|snap|brew|choco|certbot|ufw|iptables|firewall-cmd|systemctl|service|nginx|crontab|createdb|pg_dump|pg_restore|mysqldump|mongodump|docker(?!.* exec )|docker-compose(?!.* exec )|kubectl(?!.* exec )|helm|terraform|ansible-playbook|git|npm|pnpm|yarn|npx|pm2|firebase|vercel|heroku|fly|flyctl|gcloud|aws|az|wrangler|netlify|railway|supabase|openssl|ssh-keygen|ssh-copy-id|gh|sqlcmd|psql|mysql|php artisan|rails|rake|a2ensite|a2enmod|supervisorctl|redis-cli|alembic|prisma|pip3?|poetry|composer|set-\w+|new-\w+|remove-\w+|sed|sudo)(?=\s|$).*",
)

_ORDER = (
    (Effect.ENDLESS, _ENDLESS),
    (Effect.DESTROY, _DESTROY),
    (Effect.MIGRATE, _MIGRATE),
    (Effect.READ, _READ),
    (Effect.TEST, _TEST),
    (Effect.BUILD, _BUILD),
    (Effect.WRITE, _WRITE),
)
_TABLE = tuple(
    (effect, re.compile("|".join(f"(?:{p})" for p in ps), re.IGNORECASE)) for effect, ps in _ORDER
)
# The worst of several commands on one line is what the line does.
_WORST = (
    Effect.DESTROY,
    Effect.MIGRATE,
    Effect.WRITE,
    Effect.BUILD,
    Effect.UNKNOWN,
    Effect.ENDLESS,
    Effect.TEST,
    Effect.READ,
)
_CANNOT_FAIL = re.compile(r"\|\|\s*(?:true|:|echo\b|exit 0|printf\b)|;\s*(?:true|:|exit 0)\s*$")
_PROMPT = re.compile(r"^(?:[$#>%]|PS>|C:\\[^>]*>)\s+")
_FRAME = re.compile(
    r"^(?:sudo(?: -[uE]\s?\S*| -\w+)* |time |nohup |command |[A-Z_][A-Z0-9_]*=\S* |timeout \S+ |&& )+"
)
_NO_COMMAND = re.compile(
    r"#|//|--|<|(?:GET|POST|PUT|PATCH|DELETE|HEAD|SELECT|ALTER|CREATE|INSERT|UPDATE|DROP) "
)
# Programs are written small; what begins with a capital letter is a sentence, or PowerShell.
_LOOKS_LIKE_ONE = re.compile(
    r"^(?:\.{0,2}/)?[a-z][\w.+/-]*(?:\s|$)|^(?:\./|\.\.?/)\S+|^[A-Z][a-z]+-[A-Z]\w+"
)


def read_command(text: str) -> Command | None:
    """One line of a code span or fence as a command; None when it is none (a comment, a path, a
    value, a statement of another language).
    """
    line = _PROMPT.sub("", text.strip()).split(" # ")[0].strip()
    if not line or _NO_COMMAND.match(line) or not _LOOKS_LIKE_ONE.match(_bare(line)):
        return None
    parts = _parts(line)
    if not parts:
        return None
    effects = [_effect_of(part) for part in parts]
    worst = next((e for e in _WORST if e in effects), Effect.UNKNOWN)
    words = tuple(tuple(_split(_bare(part))) for part in parts)
    alone = len(words) == 1 and len(words[0]) < 2  # noqa: PLR2004  `docker` names a program, and runs nothing
    says = worst in (Effect.READ, Effect.TEST, Effect.BUILD, Effect.DESTROY, Effect.ENDLESS)
    if alone and not says and not _is_program(words[0][0]):
        return None
    return Command(line, words, worst, bool(_CANNOT_FAIL.search(line)))


def commands_in(text: str) -> tuple[tuple[int, Command], ...]:
    """Every command of a block of shell with the offset of its row; continued rows are joined."""
    found: list[tuple[int, Command]] = []
    waiting, start = "", 0
    for offset, row in enumerate(text.split("\n")):
        if not waiting:
            start = offset
        waiting += row.strip()
        if waiting.endswith(("\\", "`")) and len(waiting) > 1:
            waiting = waiting[:-1].rstrip() + " "
            continue
        command = read_command(waiting)
        if command:
            found.append((start, command))
        waiting = ""
    return tuple(found)


def _parts(line: str) -> list[str]:
    """The simple commands of a line, split at `&&`, `||`, `;` and `|` outside of quotes."""
    parts: list[str] = []
    current, quote, skip = "", "", False
    for position, sign in enumerate(line):
        if skip:
            skip = False
        elif quote:
            current += sign
            quote = "" if sign == quote else quote
        elif sign in "'\"":
            current, quote = current + sign, sign
        elif sign in ";|" or line[position : position + 2] == "&&":
            skip = line[position : position + 2] in ("&&", "||")
            parts.append(current)
            current = ""
        else:
            current += sign
    return [part.strip() for part in (*parts, current) if part.strip()]


def _effect_of(part: str) -> Effect:
    bare = _bare(part)
    return next((effect for effect, pattern in _TABLE if pattern.match(bare)), Effect.UNKNOWN)


def _bare(part: str) -> str:
    return _FRAME.sub("", part.strip())


def _is_program(part: str) -> bool:
    return part.startswith("./") and part.endswith((".sh", ".py"))


def _split(part: str) -> list[str]:
    try:
        return shlex.split(part)
    except ValueError:
        return part.split()
