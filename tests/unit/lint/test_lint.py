from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verifier.checklist.markdown import read_markdown
from verifier.errors import DocumentError
from verifier.lint.finding import Finding, Severity
from verifier.lint.lint import lint
from verifier.lint.project import look_at_project

# A compose stack behind an overlay, as a team writes it that has deployed by hand so far.
STACK_DOCUMENT = """# 창고 API 배포 점검

## 📦 배포 준비 ✅
- [ ] `.env.prod` 작성
- [ ] `SIGNING_KEY` 값 확인
- [ ] `docker-compose.prod.yml` 문법 확인

## 🚀 배포
```bash
docker-compose down
docker volume prune -f
docker-compose --env-file .env.prod up -d
docker-compose --env-file .env.prod logs -f
```

## 🔎 배포 확인
- [ ] 상태 주소 응답
  ```bash
  curl http://localhost:5000/health
  ```
- [ ] 되돌리기
  ```bash
  docker-compose up -d api:before
  ```

## 요약
- **준비**: 5개 항목
"""
STACK_FILES = {
    "docker-compose.yml": """services:
  db:
    image: mariadb:10.11
    environment: {MYSQL_ROOT_PASSWORD: "${ROOT:-hunter22-default}"}
    ports: ["13306:3306"]
    volumes: ["warehouse:/var/lib/mysql"]
  api:
    build: .
    ports: ["${API_PORT:-15000}:5000"]
volumes: {warehouse: {}}
""",
    "docker-compose.prod.yml": """services:
  db:
    environment: {MYSQL_ROOT_PASSWORD: "${ROOT}"}
    ports: []
networks: {edge: {external: true}}
""",
    ".env.prod": 'API_PORT=15000\nROOT="hunter$22"\nSIGNING_KEY=changeme-hunter22\n',
    ".gitignore": ".env.prod\n",
}
# A tree of packages whose commands are said at its root.
TREE_DOCUMENT = """# 상점 배포 목록

## 준비
- [ ] 스키마 올리기
  ```bash
  pnpm run schema:up
  ```
- [ ] 크기 보기
  ```bash
  pnpm run size
  ```
- [ ] 방화벽 는
- [ ] 흐름 시험
  ```bash
  pnpm run test:flow
  ```
- [ ] 프로세스 시작
  ```bash
  pm2 start process.config.js
  ```
"""
TREE_FILES = {
    "package.json": '{"scripts": {"size": "vite build || echo no", "test:flow": "echo later && exit 0"}}',
    "apps/api/package.json": '{"name": "api", "scripts": {"schema:up": "knex migrate:latest"}}',
    "process.config.api.cjs": "",
}
CLEAN_DOCUMENT = """# Shop release

## Before (4 items)
- [ ] `.env.prod` is written, with mode 600
- [ ] `compose.prod.yml` is valid
  ```bash
  docker compose -f compose.yml -f compose.prod.yml --env-file .env.prod config -q
  ```
- [ ] Tests pass
  ```bash
  npm test
  ```
- [ ] As the [guide](docs/guide.md) says, `SIGNING_KEY` is new

## Release
```bash
docker compose -f compose.yml -f compose.prod.yml --env-file .env.prod pull
docker compose -f compose.yml -f compose.prod.yml --env-file .env.prod up -d --wait
docker compose -f compose.yml -f compose.prod.yml --env-file .env.prod logs --tail 100 app
```

## After (2 items)
- [ ] Answers
  ```bash
  curl -fsS http://localhost:18000/health
  ```
- [ ] Dump is taken
  ```bash
  ./tools/dump.sh
  ```

Total: 6 items
"""
CLEAN_FILES = {
    "compose.yml": """services:
  db:
    image: postgres:16
    environment: {POSTGRES_PASSWORD: "${DB_PASSWORD:?}"}
    volumes: ["data:/var/lib/postgresql/data"]
  app:
    image: "shop:${TAG:?}"
    environment: ["SIGNING_KEY=${SIGNING_KEY:?}"]
volumes: {data: {}}
""",
    "compose.prod.yml": 'services: {app: {ports: ["${APP_PORT:-8000}:8000"]}}\n',
    ".env.prod": "APP_PORT=18000\nTAG=1.4.2\nDB_PASSWORD=w8Kq3ZrT0vLm5XyN\nSIGNING_KEY=b7Qk0vZr9yLw3mTx5pNd\n",
    ".env.example": "APP_PORT=\nTAG=\nDB_PASSWORD=\nSIGNING_KEY=\n",
    ".gitignore": ".env.prod\n",
    "package.json": '{"scripts": {"test": "node --test"}}',
    "tools/dump.sh": "#!/bin/sh\nset -eu\npg_dump shop > shop.sql\necho done\n",
    "docs/guide.md": "# Guide\n",
}


def _made(folder: Path, files: dict[str, str], *, forced: tuple[str, ...] = ()) -> Path:
    for path, text in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        file.chmod(0o600)
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    subprocess.run(["git", "-C", str(folder), "add", "-A"], check=True)
    if forced:
        subprocess.run(["git", "-C", str(folder), "add", "-f", *forced], check=True)
    return folder


def _lint(document: str, project: Path | None = None) -> tuple[Finding, ...]:
    page = read_markdown(document, where="list.md")
    return lint(page, document, look_at_project(project) if project else None)


def _rules(findings: tuple[Finding, ...], severity: Severity) -> set[str]:
    return {f.rule for f in findings if f.severity is severity}


def test_a_stack_that_was_deployed_by_hand(tmp_path: Path) -> None:
    findings = _lint(STACK_DOCUMENT, _made(tmp_path, STACK_FILES, forced=(".env.prod",)))
    assert _rules(findings, Severity.ERROR) == {
        "compose-overlay",
        "destructive-command",
        "env-tracked",
        "port-contradiction",
        "rollback-command",
        "weak-secret",
    }
    assert _rules(findings, Severity.WARNING) == {
        "compose-env-file",
        "compose-external",
        "compose-open-port",
        "default-password",
        "endless-command",
        "env-quoting",
        "env-unreached",
        "wrong-total",
    }
    assert _rules(findings, Severity.INFO) == {"compose-binary", "heading-tick"}


def test_a_tree_whose_commands_lie_below_its_root(tmp_path: Path) -> None:
    findings = _lint(TREE_DOCUMENT, _made(tmp_path, TREE_FILES))
    assert [(f.rule, f.severity) for f in findings] == [
        ("missing-script", Severity.ERROR),
        ("script-cannot-fail", Severity.ERROR),
        ("cut-off", Severity.WARNING),
        ("script-cannot-fail", Severity.ERROR),
        ("missing-file", Severity.ERROR),
    ]


def test_without_a_project_only_the_document_is_judged() -> None:
    assert [f.rule for f in _lint(TREE_DOCUMENT)] == ["cut-off"]


def test_a_clean_document_and_project_have_no_finding(tmp_path: Path) -> None:
    assert _lint(CLEAN_DOCUMENT, _made(tmp_path, CLEAN_FILES)) == ()
    assert _lint(CLEAN_DOCUMENT) == ()


def test_no_value_of_a_secret_is_ever_in_a_finding(tmp_path: Path) -> None:
    findings = _lint(STACK_DOCUMENT, _made(tmp_path, STACK_FILES, forced=(".env.prod",)))
    words = " ".join(f"{f.message} {f.fix}" for f in findings)
    assert "hunter" not in words
    assert "changeme" not in words


def test_findings_are_sorted_by_line_and_rule(tmp_path: Path) -> None:
    findings = _lint(STACK_DOCUMENT, _made(tmp_path, STACK_FILES))
    places = [(f.line, f.rule) for f in findings]
    assert places == sorted(places)


def test_files_named_outside_of_the_project_are_not_opened(tmp_path: Path) -> None:
    (tmp_path / "compose.yml").write_text("services: {secret-name: {image: x}}")
    root = tmp_path / "root"
    root.mkdir()
    commands = (
        "docker compose -f ../compose.yml ps a",
        f"docker compose -f {tmp_path}/compose.yml ps a",
    )
    document = "\n".join(("- [ ] x", "", "```bash", *commands, "```"))
    assert "secret-name" not in " ".join(f.message + f.fix for f in _lint(document, root))


_PIECES = st.sampled_from(
    [
        *(
            "- [ ] ",
            "- [x] ",
            "# ",
            "\n",
            "\n\n",
            "```bash\n",
            "```\n",
            "  ",
            "| a | b |\n",
            "(",
            "`",
            '"',
        ),
        *(
            "docker compose ",
            "-f a.yml ",
            "up -d ",
            "logs -f ",
            "down ",
            "exec app ",
            "| tee a ",
            "|| true",
        ),
        *(
            "npm run a ",
            "make b ",
            "cd c && ",
            "${A:-1}",
            "localhost:80",
            "총 3개 항목",
            "Total: 3 items",
            "도",
        ),
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(_PIECES | st.text(max_size=8), max_size=40))
def test_no_document_breaks_it(pieces: list[str]) -> None:
    text = "".join(pieces)
    try:
        page = read_markdown(text, where="list.md")
    except DocumentError:
        return
    rows = len(text.splitlines()) + 1
    assert all(1 <= f.line <= rows and f.message and f.fix and f.rule for f in lint(page, text))


@pytest.mark.parametrize(
    "piece", ["a-", "[ ", "(", "`", "example.", "1:", "-p ", "a/", ".env", "$(", '"']
)
def test_a_very_long_row_takes_no_time(piece: str, tmp_path: Path) -> None:
    text = f"- [ ] {piece * 2000}\n\n```bash\ndocker compose exec a {piece * 2000}\n```\n\nTotal {piece * 2000}\n"
    page = read_markdown(text, where="list.md")
    lint(page, text, look_at_project(_made(tmp_path, CLEAN_FILES)))
