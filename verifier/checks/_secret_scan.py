"""The program that looks for secrets in a source tree, and the shapes it knows. It runs where the
tree is, with Python 3 and git alone, and what it prints are places: never a secret, nor a hash of
one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

_TOKEN = r"(?<![A-Za-z0-9_-])(?:%s)(?![A-Za-z0-9_-])"  # noqa: S105  the edges of one

# Rule -> regular expression; its group `secret`, or all of it, is what must not be a placeholder.
SHAPES = {
    "private-key": r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----",
    "aws-key-id": _TOKEN % r"(?:AKIA|ASIA)[A-Z2-7]{16}",
    "aws-secret-key": r"(?i)aws.{0,20}?secret.{0,20}?[=:\"' ]+(?P<secret>[A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])",
    "github-token": _TOKEN % r"gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{40,}",
    "gitlab-token": _TOKEN % r"gl(?:pat|dt|rt|ptt|cbt)-[A-Za-z0-9_-]{20,}",
    "slack-token": _TOKEN % r"xox[abeoprs]-[A-Za-z0-9-]{10,}|xapp-\d-[A-Za-z0-9-]{10,}",
    "slack-webhook": r"hooks\.slack\.com/(?:services|workflows)/(?P<secret>[A-Za-z0-9+/]{20,})",
    "stripe-key": _TOKEN % r"(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{16,}|whsec_[A-Za-z0-9]{24,}",
    "google-key": _TOKEN % r"AIza[A-Za-z0-9_-]{35}|GOCSPX-[A-Za-z0-9_-]{28}",
    "npm-token": _TOKEN % r"npm_[A-Za-z0-9]{36}",
    "pypi-token": _TOKEN % r"pypi-AgE[A-Za-z0-9_-]{50,}",
    "sendgrid-key": _TOKEN % r"SG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{16,64}",
    "openai-key": _TOKEN % r"sk-(?:proj-|ant-|svcacct-)?[A-Za-z0-9_-]{32,}",
    "jwt": _TOKEN % r"eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}",
    "password-in-url": r"[a-z][a-z0-9+.-]{1,20}://[^\s:/@\"'`<>]{0,100}:(?P<secret>[^\s/@\"'`<>]{3,500})@[\w.\[-]",
}

NAMED = (
    r"(?<![A-Za-z0-9_.-])(?P<name>[A-Za-z0-9_.-]{0,60}(?:password|passwd|passphrase|secret|token|api_?key|access_?key"
    r"|private_?key|credential)[A-Za-z0-9_.-]{0,60})[\"'`]?\s*(?::=|=>|[=:])\s*"
    r"(?:(?P<quote>[\"'`])(?P<quoted>[^\"'`]{4,})(?P=quote)|(?P<bare>[^\s\"'`,;#)}\]]{4,}))"
)
# Names that speak about a secret without being one: DB_PASSWORD_FILE, token_ttl, csrfTokenHeader.
ABOUT = (
    r"(?i)(file|path|dir|ttl\w*|expir\w*|length|len|min|max|size|host|port|user|name|url|uri|enabled"
    r"|header|field|type|count|limit|id|label|hint|text|title|message|error|prefix|pattern|regexp?"
    r"|algorithm|policy|hash|hashed|rotation|age|days|s|placeholder|endpoint|method|status|required)$"
)
PLACEHOLDER = (
    r"(?i)example|placeholder|change[-_ ]?(me|it|this|in)|replace[-_ ]?(me|this|with)|your[-_ ]?"
    r"|dummy|fake|sample|redacted|hidden|todo|fixme|insert|not[-_ ]?(a|so)?[-_ ]?(real|secret|used)"
    r"|x{4,}|\*{3,}|\.{3}|^<.*>$|^\[.*\]$|^%.*%$|0123456789|123456|abcdef|^(.)\1+$"
    r"|^\$|\$[{(]|(?-i:\$[A-Z_]{3})|\{\{|\{[a-z_.]+\}|%\(\w+\)|^%s$|^env[.:]|^(hmac-)?sha\d+:|^(null|none|nil|true|false|undefined|string|str|bytes|required"
    r"|optional|secret|password|passwd|passphrase|token|test|test(ing)?[-_ ]?(password|secret|token|key)?)$"
)

SKIPPED = (
    *("*.lock", "package-lock.json", "npm-shrinkwrap.json", "pnpm-lock.yaml", "requirements*.lock"),
    *("go.sum", "*.min.js", "*.min.css", "*.map", "*.svg", "*.ipynb", "*.snap"),
    *(".git/", "node_modules/", ".venv/", "venv/", "site-packages/", "vendor/", "__pycache__/"),
    *(".tox/", ".mypy_cache/", ".ruff_cache/", ".pytest_cache/"),
    *("fixtures/", "__fixtures__/", "testdata/", "test_data/", "cassettes/", "__snapshots__/"),
)

PROGRAM = r"""
import fnmatch, hashlib, json, math, os, re, subprocess, sys
want = json.loads(sys.argv[1])
MOST, SHOWN = 5 * 1024 * 1024, 500
shapes = [(rule, re.compile(text)) for rule, text in want["shapes"].items()]
own = [(rule, re.compile(text)) for rule, text in want["own"].items()]
named, about = re.compile(want["named"], re.I), re.compile(want["about"])
placeholder = re.compile(want["placeholder"])
STORES = re.compile(r"(?i)\.(p12|pfx|jks|keystore|kdbx)$|(^|/)id_(rsa|dsa|ecdsa|ed25519)$")
CODE = re.compile(r"(?i)\.(py|pyi|js|mjs|cjs|jsx|ts|mts|cts|tsx|vue|svelte|java|kt|go|rs|rb|php|cs"
                  r"|c|h|cc|cpp|hpp|swift|scala|ex|exs|dart|lua|pl|r|md|rst|txt|html?|css|sql|adoc)$")
ENV = re.compile(r"(^|/)(\.env(\.[^/]*)?|[^/]+\.env)$")
HINT = re.compile(r"(?i)[a-z0-9_-]{16}|pass|secret|token|key|cred|://")
TEMPLATE = re.compile(r"(?i)(example|sample|template|dist|tmpl|tpl|j2)$")
git = ["git", "-c", "safe.directory=*", "-c", "core.fsmonitor=false", "-c", "core.quotePath=false"]
os.environ.update(LC_ALL="C", GIT_OPTIONAL_LOCKS="0", GIT_TERMINAL_PROMPT="0", GIT_PAGER="cat")
os.environ.pop("GIT_DIR", None)
found, seen = [], set()
out = {"files": 0, "skipped": 0, "binary": 0, "unread": [], "commits": 0, "beyond": 0,
       "shallow": False, "git": True, "tree": True, "found": found}

def skipped(path):
    parts = path.split("/")
    for glob in want["skip"]:
        if glob.endswith("/") and "/" not in glob[:-1]:
            if any(fnmatch.fnmatchcase(part, glob[:-1]) for part in parts[:-1]):
                return True
        elif glob.endswith("/") and fnmatch.fnmatchcase(path, glob + "*"):
            return True
        elif fnmatch.fnmatchcase(path, glob) or "/" not in glob and fnmatch.fnmatchcase(parts[-1], glob):
            return True
    return False

def entropy(text):
    return -sum(n / len(text) * math.log2(n / len(text)) for n in map(text.count, set(text)))

def named_secret(match, path, code):
    value, bare = match["quoted"], match["bare"]
    if about.search(match["name"]):
        return None
    if bare is not None:
        if code or bare[0] in "([{<&*!|>$@%" or "(" in bare:
            return None
        value = bare
    if placeholder.search(value):
        return None
    if ENV.search(path) and not TEMPLATE.search(path):
        return value
    if len(value) < 8 or re.search(r"\s", value) or entropy(value) < 3.0:
        return None
    if re.match(r"[./~]|[a-z]+://", value) and not re.search(r"[0-9].*[0-9]", value):
        return None
    kinds = sum(bool(re.search(kind, value)) for kind in ("[a-z]", "[A-Z]", "[0-9]", "[^A-Za-z0-9_. /:-]"))
    return value if re.search("[0-9]", value) and kinds > 1 or kinds > 2 else None

def secrets_in(line, path, code):
    for rule, shape in shapes:
        for match in shape.finditer(line):
            value = match.groupdict().get("secret") or match[0]
            if rule == "private-key" or not placeholder.search(value):
                yield rule, value
    for match in named.finditer(line):
        value = named_secret(match, path, code)
        if value:
            yield "named-secret", value

def look(path, number, line, commit=""):
    secrets, code = [], bool(CODE.search(path))
    for start in range(0, len(line), 15000):  # a program's line may be as long as its file
        part = line[start : start + 20000]
        mine = [(rule, match[0]) for rule, shape in own for match in shape.finditer(part)]
        secrets += [pair for pair in mine if pair[1] and pair not in secrets]
        if HINT.search(part):
            secrets += [pair for pair in secrets_in(part, path, code) if pair not in secrets]
    # The fingerprint is of the place without any secret: nobody can guess a secret from it.
    for _, value in secrets:
        line = line.replace(value, "")
    for rule, _ in secrets:
        add(rule, path, number, commit, "\0".join((rule, path, " ".join(line.split()))))

def add(rule, path, number, commit, words):
    mark = hashlib.sha256(words.encode("utf-8", "replace")).hexdigest()[:16]
    key = (rule, path, mark) if commit else (rule, path, mark, number)
    if key in seen or commit and (rule, path, mark) in seen:
        return
    seen.update((key, (rule, path, mark)))
    found.append([rule, path, number, commit, mark])

def run(*words):
    return subprocess.run([*git, *words], capture_output=True)

def listed():
    try:
        inside = run("rev-parse", "--is-inside-work-tree")
    except OSError:
        out["git"] = out["tree"] = False
        above = os.path.realpath(".")
        while above != os.path.dirname(above):
            out["tree"] = out["tree"] or os.path.lexists(os.path.join(above, ".git"))
            above = os.path.dirname(above)
        return None
    if inside.stdout.strip() != b"true":
        out["tree"] = False
        return None
    names = run("ls-files", "-z", "--cached", "--others", "--exclude-standard")
    if names.returncode:
        sys.exit("git ls-files: " + names.stderr.decode("utf-8", "replace").strip()[-300:])
    return sorted({name.decode("utf-8", "surrogateescape") for name in names.stdout.split(b"\0") if name})

def walked():
    def closed(error):
        out["unread"].append(os.path.relpath(error.filename))
    for folder, folders, names in os.walk(".", onerror=closed):
        here = os.path.relpath(folder)
        folders[:] = sorted(f for f in folders if not skipped(os.path.normpath(os.path.join(here, f)) + "/x"))
        for name in sorted(names):
            yield os.path.normpath(os.path.join(here, name))

def look_at_file(path):
    if skipped(path):
        out["skipped"] += 1
        return
    if os.path.islink(path) or not os.path.isfile(path):
        return
    if STORES.search(path):
        add("key-store", path, 1, "", "\0".join(("key-store", path)))
    try:
        with open(path, "rb") as file:
            data = file.read(MOST + 1)
    except OSError:
        out["unread"].append(path)
        return
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        data = data.decode("utf-16", "replace").encode()
    if b"\0" in data[:8192]:
        out["binary"] += 1
        return
    if len(data) > MOST:
        out["unread"].append(path)
    out["files"] += 1
    for number, line in enumerate(data.decode("utf-8", "replace").split("\n"), 1):
        look(path, number, line)

def look_at_history():
    out["shallow"] = run("rev-parse", "--is-shallow-repository").stdout.strip() == b"true"
    count = run("rev-list", "--all", "--count", "--", ".")
    if count.returncode:
        sys.exit("git rev-list: " + count.stderr.decode("utf-8", "replace").strip()[-300:])
    total = int(count.stdout)
    out["commits"], out["beyond"] = min(total, want["most"]), max(0, total - want["most"])
    words = [*git, "log", "--all", "-m", "-p", "-U0", "--no-color", "--no-textconv", "--no-ext-diff"]
    words += ["--no-renames", "--relative", "--src-prefix=a/", "--dst-prefix=b/", "--format=commit %h"]
    words += ["-n", str(want["most"]), "--", "."]
    commit = path = ""
    number, left = 0, 0
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    for raw in process.stdout:
        line = raw.decode("utf-8", "replace").rstrip("\n")
        if left and line.startswith("+"):
            left -= 1
            if path and not skipped(path):
                look(path, number, line[1:], commit)
            number += 1
        elif line.startswith("commit "):
            commit, path = line.split()[1], ""
        elif line.startswith("+++ "):
            name = line[4:].rstrip("\t").strip('"')
            path = name[2:] if name.startswith("b/") else ""
            if path and STORES.search(path) and not skipped(path):
                add("key-store", path, 1, commit, "\0".join(("key-store", path)))
        elif line.startswith("Binary files ") and " and b/" in line:
            path = line.rpartition(" and b/")[2].removesuffix(" differ")
            if STORES.search(path) and not skipped(path):
                add("key-store", path, 1, commit, "\0".join(("key-store", path)))
        else:
            hunk = re.match(r"@@ -\S+ \+(\d+)(?:,(\d+))? @@", line)
            if hunk:
                number, left = int(hunk[1]), int(hunk[2] or 1)
    if process.wait():
        sys.exit("git log ended with %d" % process.returncode)

try:
    os.chdir(want["path"])
except OSError as error:
    sys.exit("%s: %s" % (want["path"], error.strerror))
names = listed()
if not (names is None and out["tree"]):
    for name in walked() if names is None else names:
        look_at_file(name)
    if want["history"] and out["tree"]:
        look_at_history()
out["more"] = max(0, len(found) - SHOWN)
del found[SHOWN:]
out["unread"] = out["unread"][:20]
print(json.dumps(out).encode("ascii", "replace").decode())
"""


def wanted(
    path: str, skip: tuple[str, ...], own: Mapping[str, str], *, history: bool, max_commits: int
) -> str:
    """What the program is told, as its one argument; `own` are further shapes, by rule."""
    return json.dumps(
        {
            "path": path,
            "skip": [*SKIPPED, *skip],
            "history": history,
            "most": max_commits,
            "shapes": SHAPES,
            "own": dict(own),
            "named": NAMED,
            "about": ABOUT,
            "placeholder": PLACEHOLDER,
        }
    )
