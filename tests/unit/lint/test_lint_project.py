from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from verifier.errors import UsageError
from verifier.lint import project as project_module
from verifier.lint.project import inside, look_at_project


def test_files_are_seen_and_what_others_install_is_not(tmp_path: Path) -> None:
    for path in ("a.txt", "b/c.txt", "node_modules/d.txt", ".git/e.txt"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("x")
    assert look_at_project(tmp_path).files == {"a.txt", "b/c.txt"}


def test_a_link_out_of_the_project_is_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("hidden")
    root = tmp_path / "root"
    root.mkdir()
    (root / "own").write_text("mine")
    (root / "out").symlink_to(outside / "secret")
    (root / "folder").symlink_to(outside)
    (root / "in").symlink_to(root / "own")
    (root / "round").symlink_to(root / "round")
    seen = look_at_project(root)
    assert seen.files == {"own", "in"}
    assert seen.text("in") == "mine"
    assert seen.text("out") == seen.text("folder/secret") == seen.text("../outside/secret") == ""


def test_a_file_that_became_a_link_after_the_look_is_not_read(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "a").write_text("mine")
    (tmp_path / "secret").write_text("hidden")
    seen = look_at_project(root)
    (root / "a").unlink()
    (root / "a").symlink_to(tmp_path / "secret")
    assert seen.text("a") == ""


def test_what_is_large_or_no_text_is_empty(tmp_path: Path) -> None:
    (tmp_path / "large").write_text("x" * (project_module.MAX_TEXT + 1))
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    seen = look_at_project(tmp_path)
    assert seen.text("large") == seen.text("binary") == ""


def test_a_tree_without_end_is_left_and_said_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(project_module, "MAX_FILES", 3)
    for number in range(9):
        (tmp_path / f"{number}").write_text("")
    assert not look_at_project(tmp_path).whole


def test_git_is_asked_without_its_hooks(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / "a").write_text("")
    subprocess.run(["git", "-C", str(tmp_path), "add", "a"], check=True)
    mark = tmp_path / "was-run"
    hook = tmp_path / "hook.sh"
    hook.write_text(f"#!/bin/sh\ntouch {mark}\n")
    hook.chmod(0o755)
    subprocess.run(["git", "-C", str(tmp_path), "config", "core.fsmonitor", str(hook)], check=True)
    assert look_at_project(tmp_path).tracked == frozenset({"a"})
    assert not mark.exists()


def test_without_git_nothing_is_said_of_it(tmp_path: Path) -> None:
    assert look_at_project(tmp_path).tracked is None


def test_a_project_that_is_no_folder_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no folder"):
        look_at_project(tmp_path / "none")


@pytest.mark.parametrize(
    ("folder", "path", "found"),
    [
        ("", "a/b", "a/b"),
        ("a", "./b", "a/b"),
        ("a", "../b", "b"),
        ("", "../b", None),
        ("a", "../../b", None),
        ("", "/etc/passwd", None),
        ("", "~/b", None),
        ("", "$HOME/b", None),
    ],
)
def test_no_path_leads_out(folder: str, path: str, found: str | None) -> None:
    assert inside(folder, path) == found
