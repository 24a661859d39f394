from __future__ import annotations

from verifier.checklist.binding import Attest, Binding, BindingDocument
from verifier.checklist.difference import Difference, compare
from verifier.checklist.markdown import Line, read_markdown

OLD = """## Web
- [ ] Pages load
- [ ] Login works <!-- id: login -->
- [ ] Old news
## Jobs
- [ ] Jobs run
"""
NEW = """## Web
- [ ] All pages load
## Jobs
- [ ] Jobs run
- [ ] Login works <!-- id: login -->
- [ ] Mail is sent
"""
SHUFFLED = """## Jobs
- [x] (1/1) Jobs run
## Web
- [ ] Old news
- [x] Pages load
- [ ] Login works <!-- id: login -->
"""


def read(text: str) -> tuple[Line, ...]:
    return read_markdown(text, where="t.md").lines


def named(found: tuple[Difference, ...]) -> dict[str, tuple[str, int, int]]:
    return {one.text or one.old_text: (one.kind, one.line, one.was) for one in found}


def test_two_equal_versions_differ_in_nothing() -> None:
    assert compare(read(OLD), read(OLD), None) == ()


def test_ticks_counts_and_order_are_no_difference() -> None:
    assert compare(read(OLD), read(SHUFFLED), None) == ()


def test_each_change_has_its_kind_and_both_line_numbers() -> None:
    assert named(compare(read(OLD), read(NEW), None)) == {
        "All pages load": ("reworded", 2, 2),
        "Old news": ("removed", 0, 4),
        "Login works": ("moved", 5, 3),
        "Mail is sent": ("added", 6, 0),
    }


def test_the_old_words_of_a_reworded_line_are_told() -> None:
    found = [d for d in compare(read(OLD), read(NEW), None) if d.kind == "reworded"]
    assert [(d.old_text, d.text) for d in found] == [("Pages load", "All pages load")]


def test_what_hangs_on_a_changed_line_is_named() -> None:
    document = BindingDocument(
        version=1,
        checklist="t.md",
        target="all",
        items={
            "pages": Binding(text="Pages load", section="Web", check="port"),
            "login": Binding(attest=Attest(role="lead")),
            "news": Binding(text="Old news", section="Web", step="release"),
            "jobs": Binding(text="Jobs run", section="Jobs", review="?"),
        },
    )
    found = compare(read(OLD), read(NEW), document, waived=["login", "jobs"])
    assert {d.id: d.touches for d in found if d.kind != "added"} == {
        "pages": ("check port",),
        "news": ("step release",),
        "login": ("attestation by lead", "waiver"),
    }
    assert [d.touches for d in found if d.kind == "added"] == [()]


def test_differences_come_in_the_order_of_the_lines() -> None:
    places = [d.line or d.was for d in compare(read(OLD), read(NEW), None)]
    assert places == sorted(places)
