from __future__ import annotations

import pytest

from verifier.history import Entry, read_entry, way_here


@pytest.mark.parametrize(
    ("history", "way"),
    [
        ("", ""),
        ("1", "1"),
        ("1 2", "1 2"),
        ("1 2 3 <2", "1 2"),
        ("1 2 3 <2 <1", "1"),
        ("1 2 3 <2 4 <2", "1 2"),
        ("1 2 1 2", "1 2"),
        ("1 2 1", "2 1"),
        ("2 <1", "2 1"),
    ],
)
def test_a_return_takes_off_what_ran_since(history: str, way: str) -> None:
    entries = [Entry(word.removeprefix("<"), word.startswith("<")) for word in history.split()]
    assert way_here(entries) == tuple(way.split())


def test_an_entry_is_a_forward_one_unless_it_says_otherwise() -> None:
    assert read_entry('{"release": "1", "at": "2026-01-01T00:00:00Z"}') == Entry("1")
    assert read_entry('{"release": "1", "back": true}') == Entry("1", back=True)
    assert read_entry('{"release": "1", "back": "yes"}') == Entry("1")


@pytest.mark.parametrize("line", ["", "rubbish", "[1]", "{}", '{"release": 1}', '{"rel'])
def test_a_line_that_is_not_understood_is_no_entry(line: str) -> None:
    assert read_entry(line) is None
