"""The programs of `snapshot` and `backup` that run on a host, against a docker that is made up."""

from __future__ import annotations

import gzip
import hashlib
import os
import subprocess
from pathlib import Path

import pytest

ROLES = Path(__file__).resolve().parents[3] / "roles"
ENDS = {"mariadb": "-- Dump completed", "postgresql": "-- PostgreSQL database dump complete"}
# Answers a dump, and the question for the rows with one more each time, as a table that grows.
DOCKER = r"""#!/bin/sh
echo "$*" >>"$FAKE/asked"
case $* in
*dump*) [ ! -e "$FAKE/broken" ] || exit 1; cat "$FAKE/dump" ;;
*) [ ! -e "$FAKE/mute" ] || exit 1
   rows=$(cat "$FAKE/rows"); echo $((rows + 1)) >"$FAKE/rows"; printf 'items\t%s\n' "$rows" ;;
esac
"""


@pytest.fixture
def fake(tmp_path: Path) -> Path:
    folder = tmp_path / "fake"
    folder.mkdir()
    (folder / "docker").write_text(DOCKER)
    (folder / "docker").chmod(0o700)
    (folder / "rows").write_text("7\n")
    return folder


def _dump(fake: Path, engine: str, file: Path) -> subprocess.CompletedProcess[str]:
    (fake / "dump").write_text(f"CREATE TABLE items (id int);\n{ENDS[engine]}\n")
    script = ROLES / "snapshot" / "files" / "dump.sh"
    return subprocess.run(
        ["bash", str(script), "c1", engine, "root", "DB_ROOT_PASSWORD", "shop", str(file)],
        env={"PATH": f"{fake}:{os.environ['PATH']}", "FAKE": str(fake)},
        capture_output=True, text=True, check=False, timeout=20,
    )  # fmt: skip


def _due(folder: Path, *newer_than: Path, max_age_s: int = 3600) -> str:
    script = ROLES / "backup" / "files" / "due.sh"
    words = [str(folder), "shop-*.sql.gz", str(max_age_s), *map(str, newer_than)]
    done = subprocess.run(
        ["sh", str(script), *words], capture_output=True, text=True, check=True, timeout=20
    )
    return done.stdout.strip()


@pytest.mark.parametrize("engine", sorted(ENDS))
def test_a_dump_has_its_checksum_and_the_rows_of_before_and_after_beside_it(
    fake: Path, tmp_path: Path, engine: str
) -> None:
    file = tmp_path / "shop-1.sql.gz"
    done = _dump(fake, engine, file)
    assert done.returncode == 0, done.stderr
    sum_ = hashlib.sha256(file.read_bytes()).hexdigest()
    assert Path(f"{file}.sha256").read_text() == f"{sum_}  shop-1.sql.gz\n"
    assert Path(f"{file}.counts").read_text() == "before\titems\t7\nafter\titems\t8\n"
    assert ENDS[engine] in gzip.decompress(file.read_bytes()).decode()
    assert {oct(p.stat().st_mode & 0o777) for p in tmp_path.glob("shop-*")} == {"0o600"}


@pytest.mark.parametrize("fault", ["broken", "mute"])
def test_a_dump_or_a_count_that_fails_leaves_nothing_behind(
    fake: Path, tmp_path: Path, fault: str
) -> None:
    (fake / fault).touch()
    assert _dump(fake, "postgresql", tmp_path / "shop-1.sql.gz").returncode != 0
    assert list(tmp_path.glob("shop-*")) == []


def test_the_program_that_dumps_is_never_given_a_password(fake: Path, tmp_path: Path) -> None:
    _dump(fake, "mariadb", tmp_path / "shop-1.sql.gz")
    asked = (fake / "asked").read_text()
    assert "DB_ROOT_PASSWORD" in asked
    assert "--password" not in asked.replace("--no-password", "")


def test_a_backup_is_due_when_there_is_none_or_it_is_old_or_something_is_newer(
    tmp_path: Path,
) -> None:
    settings = tmp_path / ".env"
    settings.touch()
    assert _due(tmp_path / "nowhere") == "due"
    assert _due(tmp_path) == "due"
    backup = tmp_path / "shop-1.sql.gz"
    backup.touch()
    os.utime(settings, (1, 1))
    assert _due(tmp_path, settings) == ""
    now = backup.stat().st_mtime
    os.utime(backup, (now - 7200, now - 7200))
    assert _due(tmp_path, settings) == "due"
    os.utime(backup, (now - 60, now - 60))
    os.utime(settings, (now, now))
    assert _due(tmp_path, settings) == "due"
