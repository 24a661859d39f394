from __future__ import annotations

from pathlib import Path

import pytest

from verifier.cli.ansible_arguments import read_extra_vars
from verifier.errors import UsageError


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["-D", "--flush-cache"], {}),
        (["-e", "a=1 b='two words'"], {"a": "1", "b": "two words"}),
        (["-ea=1", "--extra-vars=b=2"], {"a": "1", "b": "2"}),
        (["--extra-vars", '{"a": true}', "-e", "a=last"], {"a": "last"}),
    ],
)
def test_the_plan_learns_the_extra_variables(words: list[str], found: dict[str, object]) -> None:
    assert read_extra_vars(words) == found


def test_a_file_of_variables_is_read(tmp_path: Path) -> None:
    (tmp_path / "more.yml").write_text("prune_volumes: true\n")
    assert read_extra_vars(["-e", f"@{tmp_path}/more.yml"]) == {"prune_volumes": True}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["-e", "release_id=3"], "use --release"),
        (["-lfwb1"], "use verifier's own --limit"),
        (["--limit=fwb1"], "use verifier's own --limit"),
        (["--skip-tags", "snapshot"], "use verifier's own --tags"),
        (["-i", "other"], "use verifier's own --inventory"),
        (["-K"], "cannot work here"),
        (["--start-at-task", "x"], "cannot work here"),
        (["-e", "[1]"], "is no mapping"),
        (["-e", "@nowhere.yml"], "cannot be read"),
    ],
)
def test_what_would_run_something_else_than_was_planned_is_refused(
    words: list[str], says: str
) -> None:
    with pytest.raises(UsageError, match=says):
        read_extra_vars(words)
