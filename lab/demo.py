"""The whole promise on the lab's three hosts, as one story: deploy, plant data, upgrade, refuse a
broken release, come back, and count the data. Runs the same commands a person would; ends with 0
only if every one of them ended as it must. (`make demo`)
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import time
import urllib.request
import uuid
from dataclasses import dataclass
from pathlib import Path

VERIFIER = str(Path(sys.executable).with_name("verifier"))
FILES_PER_HOST = 20
ROWS = 40
GOOD, NEXT, BROKEN = "1", "2", "3-files-500"
ROLLED_BACK = 5


@dataclass(frozen=True)
class Data:
    """What was planted: how much, and one checksum over all of it."""

    rows: int
    files: int
    checksum: str

    def __str__(self) -> str:
        return f"{self.rows} rows, {self.files} files, sha256 {self.checksum[:16]}…"


def main() -> int:
    began = time.monotonic()
    if "running" not in _quiet("lab", "status") or _has_release():
        _chapter("Fresh hosts")
        _run("lab", "reset", wanted=0)
    _chapter(f"Release {GOOD} on three hosts, every line of both checklists verified")
    _run("deploy", "--inventory", "lab", "--release", GOOD, "--yes", wanted=0)
    _chapter("The routine checks: done once, and scheduled")
    for duty in ("daily", "weekly", "monthly", "quarterly"):
        _run("duty", "run", duty, "--inventory", "lab", wanted=0)
    where = ("--format", "cron", "--output", _schedule())
    _run("duty", "schedule", "--inventory", "lab", *where, wanted=0)
    _run("duty", "list", "--inventory", "lab", wanted=0)
    _chapter("Data: files through one application, rows through the other")
    _plant()
    planted = _count()
    print(f"planted: {planted}")
    if (planted.rows, planted.files) != (2 * FILES_PER_HOST + ROWS, 2 * FILES_PER_HOST):
        sys.exit(f"demo stopped: {2 * FILES_PER_HOST} files and {ROWS} rows were sent, {planted}")
    _chapter(f"Release {NEXT}, with a schema migration between")
    _run("deploy", "--inventory", "lab", "--release", NEXT, "--yes", wanted=0)
    _same(planted, "after the migration")
    _chapter(f"Release {BROKEN} is broken in a way its own health check does not see")
    _run(
        "deploy",
        "--inventory",
        "lab",
        "--release",
        BROKEN,
        "--limit",
        "filewallball",
        "--yes",
        wanted=ROLLED_BACK,
    )
    _same(planted, "after the rollback")
    _chapter("What runs now")
    _run("verify", "--inventory", "lab", wanted=0)
    _run("rollback", "--inventory", "lab", "--list", wanted=0)
    print(
        f"\nDone in {time.monotonic() - began:.0f} s: the broken release was refused (exit {ROLLED_BACK}),"
    )
    print(f"release {NEXT} runs, and the data is whole: {planted}.")
    print("Look around: .venv/bin/verifier lab status; remove it all: .venv/bin/verifier lab down")
    return 0


def _chapter(title: str) -> None:
    print(f"\n━━━ {title}", flush=True)


def _run(*arguments: str, wanted: int) -> None:
    print(f"$ verifier {' '.join(arguments)}", flush=True)
    began = time.monotonic()
    code = subprocess.run([VERIFIER, *arguments], check=False).returncode
    print(f"exit {code} after {time.monotonic() - began:.0f} s", flush=True)
    if code != wanted:
        sys.exit(
            f"demo stopped: `verifier {' '.join(arguments)}` ended with {code}, wanted {wanted}"
        )


def _quiet(*arguments: str) -> str:
    return subprocess.run(
        [VERIFIER, *arguments], check=False, capture_output=True, text=True
    ).stdout


def _has_release() -> bool:
    listing = _quiet("rollback", "--inventory", "lab", "--list").splitlines()[1:]
    return any(line.split()[1] != "-" for line in listing if line.strip())


def _schedule() -> str:
    """The folder that the lab's items look in: nothing of the lab is put into /etc."""
    text = Path("inventory/lab/group_vars/all/lab.yml").read_text(encoding="utf-8")
    return str(Path(json.loads(text.split("lab_state_dir: ", 1)[1]), "duties"))


def _hosts() -> list[tuple[str, str]]:
    hosts = json.loads(_quiet("lab", "status", "--format", "json"))
    return [(h["name"], f"http://127.0.0.1:{next(iter(h['published'].values()))}") for h in hosts]


def _plant() -> None:
    for name, url in _hosts():
        if name.startswith("fwb"):
            for number in range(FILES_PER_HOST):
                _upload(
                    url,
                    f"보고서-{name}-{number}.txt",
                    hashlib.sha256(f"{name}{number}".encode()).hexdigest() * 99,
                )
        else:
            token, cookies = _csrf(url)
            for number in range(ROWS):
                body = json.dumps({"title": f"항목 {number}"}).encode()
                headers = {
                    "content-type": "application/json",
                    "x-csrf-token": token,
                    "cookie": cookies,
                }
                _ask(f"{url}/api/items", body, headers)


def _count() -> Data:
    digest, rows, files = hashlib.sha256(), 0, 0
    for name, url in _hosts():
        if name.startswith("fwb"):
            for entry in sorted(json.loads(_ask(f"{url}/files")), key=lambda e: str(e["name"])):
                content = _ask(f"{url}/files/{entry['id']}")
                if hashlib.sha256(content).hexdigest() != entry["sha256"]:
                    sys.exit(f"demo stopped: {entry['name']} on {name} is damaged")
                digest.update(f"{entry['name']} {entry['sha256']}\n".encode())
                files, rows = files + 1, rows + 1
        else:
            items = json.loads(_ask(f"{url}/api/items?limit=100"))["items"]
            for item in sorted(items, key=lambda i: str(i["id"])):
                digest.update(json.dumps([item["id"], item["title"]]).encode())
                rows += 1
    return Data(rows, files, digest.hexdigest())


def _same(planted: Data, when: str) -> None:
    found = _count()
    print(f"{when}: {found}")
    if found != planted:
        sys.exit(f"demo stopped: planted {planted}, found {found}")


def _csrf(url: str) -> tuple[str, str]:
    with urllib.request.urlopen(f"{url}/api/csrf-token", timeout=10) as answer:
        cookies = "; ".join(c.split(";")[0] for c in answer.headers.get_all("set-cookie") or [])
        body = json.load(answer)
    return str(body["token"]), cookies


def _upload(url: str, name: str, content: str) -> None:
    border = uuid.uuid4().hex
    body = (
        f'--{border}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        f"Content-Type: text/plain\r\n\r\n{content}\r\n--{border}--\r\n"
    ).encode()
    _ask(f"{url}/files", body, {"content-type": f"multipart/form-data; boundary={border}"})


def _ask(url: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> bytes:
    request = urllib.request.Request(url, data=body, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return bytes(answer.read())
    except OSError as error:  # HTTPError is one, too
        sys.exit(f"demo stopped: {request.get_method()} {url}: {error}")


if __name__ == "__main__":
    sys.exit(main())
