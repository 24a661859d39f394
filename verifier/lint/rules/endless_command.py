"""A command never ends: it follows a log, watches, or stays in front as a server.

What follows it in the same block is never reached, and whoever runs the document by machine waits
for ever. In sections that a person picks commands from (troubleshooting, monitoring) it is meant so.

    docker compose logs -f
    curl -f http://localhost/health      (never reached)
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from verifier.lint.finding import Finding, error, info, quoted, warning
from verifier.lint.sheet import Said, Sheet

# What each waits in, and what would end.
_FIXES = (
    (
        r"(?:docker|docker-compose|podman|kubectl|oc)\b.*\blogs\b",
        "logs follows for ever",
        "leave out `-f` and write `--tail 200`",
    ),
    (r"pm2 logs", "pm2 logs follows for ever", "write `pm2 logs --nostream --lines 200`"),
    (r"pm2 monit", "pm2 monit never ends", "write `pm2 jlist` or `pm2 status`"),
    (r"(?:tail|journalctl)\b", "it follows the log for ever", "write `-n 200` without `-f`"),
    (r"(?:docker stats|docker container stats)", "docker stats never ends", "add `--no-stream`"),
    (r"watch\b", "watch never ends", "run the command itself, once"),
    (
        r"(?:top|htop|iotop|iftop|nethogs|ctop)$|(?:top|htop|iotop|iftop|nethogs|ctop)\s",
        "it never ends and needs a terminal",
        "write `top -b -n 1`",
    ),
    (r"kubectl get\b", "`-w` watches for ever", "leave out `-w`, or use `kubectl wait`"),
    (r"ping\b", "ping never ends", "add `-c 3`"),
    (
        r"docker(?:-compose| compose)\b.*\bup\b",
        "`up` stays in front and ends with the terminal",
        "add `-d`",
    ),
    (
        r"(?:heroku|fly|flyctl|vercel|wrangler)\b",
        "it follows for ever",
        "ask for the last lines instead",
    ),
)
_SERVER = re.compile(
    r"(?:uvicorn|gunicorn|hypercorn|daphne|flask run|nodemon|serve|npx serve|python3? \S*manage\.py runserver"
    r"|php artisan serve|rails s(?:erver)?\b|ng serve|next (?:dev|start)"
    r"|(?:npm|pnpm|yarn|bun)(?: run)? (?:start|dev|serve|preview|watch)\b)"
)
_ENDS = re.compile(
    r"^(?:timeout\b|nohup\b)|&\s*$|\bgunicorn\b.*(?:--daemon|-D\b|--check-config)|--version|--help"
)


def look(sheet: Sheet) -> Iterator[Finding]:
    for said in sheet.commands:
        found = _reason(said)
        if not found:
            continue
        why, fix = found
        message = f"{quoted(said.command.text)}: {why}"
        after = [s for s in sheet.after(said) if not _reason(s)]
        if said.is_picked or (_is_server(said) and not after):
            yield info(said.line, message, fix)
        elif after and not _is_server(said):
            next_one = after[0]
            yield error(
                said.line,
                f"{message}; {quoted(next_one.command.text)} in line {next_one.line} is never reached",
                fix,
            )
        else:
            yield warning(said.line, message, fix)


def _reason(said: Said) -> tuple[str, str] | None:
    text = said.command.text
    if _ENDS.search(text):
        return None
    for words in said.command.parts[-1:]:
        bare = " ".join(words)
        if _is_server(said):
            return (
                "a server in front never ends",
                "start it as a service, or say that it needs a terminal of its own",
            )
        for pattern, why, fix in _FIXES:
            if re.match(pattern, bare) and _follows(words, bare):
                return why, fix
    for words in said.command.parts[:-1]:  # a pipe: `tail -f log | grep x`
        bare = " ".join(words)
        for pattern, why, fix in _FIXES[:4]:
            if re.match(pattern, bare) and _follows(words, bare):
                return why, fix
    return None


def _is_server(said: Said) -> bool:
    bare = " ".join(said.command.parts[-1])
    return bool(_SERVER.match(bare)) and not re.search(r"\bexec\b", bare)


def _follows(words: tuple[str, ...], bare: str) -> bool:
    """Whether this call of a program that may follow does."""
    flags = [w for w in words[1:] if w.startswith("-")]
    if re.match(r"docker stats|docker container stats", bare):
        return "--no-stream" not in flags
    if bare.startswith("pm2 logs"):
        return "--nostream" not in flags
    if re.match(r"(?:top|htop|iotop)", bare):
        return not any(re.match(r"-\w*b|--batch|--version", f) for f in flags)
    if bare.startswith("ping"):
        return not any(re.match(r"-\w*[cnw]\d*$", f) for f in flags)
    if re.match(r"docker(?:-compose| compose)\b.*\bup\b", bare) and "logs" not in words:
        return not any(
            re.match(
                r"--(?:detach|wait|no-start|abort-on-container-exit|exit-code-from|help)|-\w*d\w*$",
                f,
            )
            for f in flags
        )
    if re.match(r"watch\b|pm2 monit", bare):
        return True
    if bare.startswith("kubectl get"):
        return any(f in ("-w", "--watch") for f in flags)
    if re.match(r"tail\b|journalctl\b", bare) or re.search(r"\blogs\b", bare):
        after = words[words.index("logs") :] if "logs" in words else words
        return any(
            re.match(r"--follow(?!=false)|--retry|-\w*[fF]\w*$", w)
            for w in after
            if w.startswith("-") and not w.startswith("--file")
        )
    return any(f in ("--tail", "-t", "-f", "--follow") for f in flags) and "logs" in words
