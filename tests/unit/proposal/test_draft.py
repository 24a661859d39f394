from __future__ import annotations

from pathlib import Path

import pytest

from verifier.checklist.binding import BindingDocument
from verifier.checklist.items import Checklist, load_checklist
from verifier.document import read_document, read_text
from verifier.errors import DocumentError, UsageError
from verifier.proposal.binding_text import write_again, write_new
from verifier.proposal.draft import Draft, binding_path, make_draft, proposed, validated
from verifier.proposal.values import NO_VALUES, Values, read_values

MIXED = """# 배포 체크리스트 / Deployment checklist

## 1. Environment 🚀

- [ ] `.env.production` exists and `DB_PASSWORD` is set
- [x] Port 443 is open
  - [ ] Port 3000 is available
- [ ] docker compose ps shows every service running
  ```bash
  docker compose ps
  ```
- [ ] `curl -f https://app.example.com/health` answers 200
- [ ] 데이터베이스 백업이 매일 실행된다
- [ ] TLS certificate is valid for 30 days
- [ ] HTTP redirects to HTTPS
- [ ] Security headers (HSTS, CSP) are set
- [ ] CORS allows only our own origin
- [ ] Redis asks for a password
- [ ] Migrations have been applied
- [ ] Run `npm run build`
- [ ] Disk usage is below 80 %
- [ ] pm2 runs 4 instances
- [ ] Rate limit of 100 requests a minute
- [ ] "quoted": 'a' # not a comment
- [ ] - yes
- [ ] null
- [ ]

| Check | State |
|---|---|
| Logs are rotated | [ ] |

## Performance criteria

- p95 < 500 ms
- error rate below 1 %

## Rollback plan

- [ ] Restore the backup

## Immediate response

1. Look at the logs

## Sign-off

- [ ] Approved by the lead
Release: ______
"""

BULLETS = "# Go-live checklist\r\n\r\n- ✅ DNS points at the host\r\n- Backups run\r\n"
EXPLICIT = "".join(
    f"- [ ] {i} <!-- id: {i} -->\n" for i in ("1", "yes", "2026-01-01", "010", "a.b")
)
TWINS = "## A\n- [ ] x\n- [ ] x\n## B\n- [ ] x\n  - [ ] x\n"
STRANGE = (
    "## : - #\n- [ ] *a: {b}\n- [ ] &c\n- [ ] !d\n- [ ] e\x07\x85f\n- [ ] "
    + "long words " * 40
    + "\n"
)
DOCUMENTS = [MIXED, BULLETS, EXPLICIT, TWINS, STRANGE]


def draft_of(folder: Path, text: str, values: Values = NO_VALUES) -> Draft:
    source = folder / "list.md"
    source.write_bytes(text.encode())
    return make_draft(source, values=values)


def first(folder: Path, text: str, values: Values = NO_VALUES) -> str:
    """Writes a new binding file for `text` and gives what stands in it."""
    draft = draft_of(folder, text, values)
    binding_path(draft.source).write_bytes(write_new(draft, "all").encode())
    return read_text(folder / "list.yml")


def again(folder: Path, text: str, values: Values = NO_VALUES) -> str:
    """Brings the binding file up to date with `text` and gives what stands in it then."""
    draft = draft_of(folder, text, values)
    path = binding_path(draft.source)
    path.write_bytes(write_again(draft, read_text(path)).encode())
    return read_text(path)


def load(folder: Path) -> Checklist:
    return load_checklist(folder / "list.yml")


def bind(folder: Path, text: str) -> str:
    (folder / "list.yml").write_bytes(text.encode())
    return text


@pytest.mark.parametrize(
    "text", DOCUMENTS, ids=["mixed", "bullets", "explicit", "twins", "strange"]
)
def test_a_new_binding_file_loads_with_every_line(tmp_path: Path, text: str) -> None:
    first(tmp_path, text)
    draft = make_draft(tmp_path / "list.md")
    assert read_document(tmp_path / "list.yml", BindingDocument).checklist == "list.md"
    assert [item.id for item in load(tmp_path).items] == [line.id for line in draft.page.lines]
    assert {change.kind for change in draft.changes} == {"same"}


@pytest.mark.parametrize(
    "text", DOCUMENTS, ids=["mixed", "bullets", "explicit", "twins", "strange"]
)
def test_a_second_time_changes_no_byte(tmp_path: Path, text: str) -> None:
    written = first(tmp_path, text)
    assert again(tmp_path, text) == written
    assert again(tmp_path, text.replace("\r\n", "\n")) == written


@pytest.mark.parametrize("end", ["", "\n\n\n", "\n# the end", "\n...\n"])
def test_even_the_end_of_an_unchanged_file_stays(tmp_path: Path, end: str) -> None:
    written = bind(tmp_path, first(tmp_path, MIXED).rstrip("\n") + end)
    assert again(tmp_path, MIXED) == written


def test_every_proposal_of_a_mixed_document_is_one_that_its_check_accepts(tmp_path: Path) -> None:
    proposals = draft_of(tmp_path, MIXED).proposals
    assert len(proposals) > 25
    checked = [one for one in proposals if one.check]
    assert len(checked) > 10
    for one in checked:
        validated(one)


def test_a_proposal_with_a_wrong_parameter_is_refused(tmp_path: Path) -> None:
    port = next(p for p in draft_of(tmp_path, "- [ ] Port 443 is open\n").proposals if p.check)
    object.__setattr__(port, "given", {**port.given, "nonsense": "{{ x }}"})
    with pytest.raises(UsageError, match="no parameter nonsense"):
        validated(port)


def test_a_proposal_in_json_has_exactly_its_eight_keys(tmp_path: Path) -> None:
    for one in draft_of(tmp_path, MIXED).proposals:
        assert list(proposed(one)) == [
            "line", "id", "proposal", "check", "with", "missing", "reason", "span",
        ]  # fmt: skip


def test_a_nested_line_remembers_what_it_stands_below(tmp_path: Path) -> None:
    was = "- [ ] Web\n  - [ ] Tested\n- [ ] Jobs\n  - [ ] Tested\n"
    first(tmp_path, was)
    before = {item.line.number: item.id for item in load(tmp_path).items}
    (tmp_path / "list.md").write_text("- [ ] Jobs\n  - [ ] Tested\n- [ ] Web\n  - [ ] Tested\n")
    assert [item.id for item in load(tmp_path).items] == [before[n] for n in (3, 4, 1, 2)]


def test_new_lines_are_added_behind_the_others(tmp_path: Path) -> None:
    written = first(tmp_path, MIXED)
    text = again(tmp_path, MIXED.replace("## Rollback", "- [ ] Mail is sent\n\n## Rollback"))
    assert text.startswith(written.rstrip("\n"))
    assert "  # new in the checklist\n  mail-is-sent-" in text
    assert len(load(tmp_path).items) == written.count("\n    text:") + 2  # and one without words


def test_a_new_line_that_leans_on_an_assumed_value_brings_it_along(tmp_path: Path) -> None:
    first(tmp_path, "- [ ] The team was told\n")
    again(
        tmp_path, "- [ ] The team was told\n- [ ] docker compose ps shows every service running\n"
    )
    item = load(tmp_path).items[1]
    assert "compose_stack" in str(item.binding.given)
    assert "compose_stack" in item.values


@pytest.mark.parametrize(
    "rest", ["x-note: y\n", "values:\n  base_url: https://app.test\n", "# end\n"]
)
def test_what_stands_behind_the_items_stays_behind_them(tmp_path: Path, rest: str) -> None:
    written = first(tmp_path, "- [ ] Docs are read\n").replace("values: {}\n", "")
    bind(tmp_path, written + rest)
    text = again(tmp_path, "- [ ] Docs are read\n- [ ] The team was told\n")
    assert text.endswith(f"\n{rest}")
    assert len(load(tmp_path).items) == 2


def test_a_reworded_line_gets_its_new_words_and_keeps_everything_else(tmp_path: Path) -> None:
    written = first(tmp_path, MIXED)
    mine = written.replace("    text: Port 443 is open\n", "    text: Port 443 is open  # mine\n")
    bind(tmp_path, mine)
    text = again(tmp_path, MIXED.replace("Port 443 is open", "The port 443 is open"))
    changed = [(a, b) for a, b in zip(mine.split("\n"), text.split("\n"), strict=True) if a != b]
    assert changed == [
        ("    text: Port 443 is open  # mine", "    text: The port 443 is open  # mine")
    ]
    assert len(load(tmp_path).items) == len(make_draft(tmp_path / "list.md").proposals)


def test_long_words_become_short_and_short_ones_long(tmp_path: Path) -> None:
    short = "All of the services answer in good time and in good order and nobody has to wait"
    long = f"{short}, {'ever, ' * 10} at all"
    for text in (short, long, short):
        if text is short and not (tmp_path / "list.yml").exists():
            first(tmp_path, f"- [ ] Docs are read\n- [ ] {text}\n- [ ] The team was told\n")
        else:
            again(tmp_path, f"- [ ] Docs are read\n- [ ] {text}\n- [ ] The team was told\n")
        assert [item.line.title for item in load(tmp_path).items][1] == " ".join(text.split())
        assert len(read_document(tmp_path / "list.yml", BindingDocument).items) == 3
    assert "# gone" not in read_text(tmp_path / "list.yml")


def test_gone_lines_become_comments_and_the_file_loads(tmp_path: Path) -> None:
    written = first(tmp_path, MIXED)
    text = again(
        tmp_path, MIXED.replace("- [x] Port 443 is open\n  - [ ] Port 3000", "- [ ] Port 3000")
    )
    assert "  # gone: port-443-is-open-" in text
    assert "  # gone:   text: Port 443 is open\n" in text
    assert text.count("\n") == written.count("\n")
    assert "Port 443 is open" not in [item.line.title for item in load(tmp_path).items]
    assert again(tmp_path, (tmp_path / "list.md").read_text()) == text


def test_all_lines_may_go_when_others_come(tmp_path: Path) -> None:
    first(tmp_path, "- [ ] The logs are rotated\n")
    text = again(tmp_path, "- [ ] Nobody knows this one\n")
    assert "  # gone: the-logs-are-rotated-" in text
    assert [item.line.title for item in load(tmp_path).items] == ["Nobody knows this one"]


def test_a_line_that_nothing_stands_below_any_more_is_answered_anew(tmp_path: Path) -> None:
    first(tmp_path, "- [ ] The team was told\n  - [ ] Everyone knows\n")
    assert load(tmp_path).items[0].binding.all_below
    text = again(tmp_path, "- [ ] The team was told\n")
    assert "  # gone:   all_below: true\n" in text
    (item,) = load(tmp_path).items
    assert not item.binding.all_below
    assert again(tmp_path, "- [ ] The team was told\n") == text


MINE = """\
# 내 파일 / my file
---
version: 1
checklist: 'list.md'   # quoted
target: "all"
x-roles: &lead {attest: {role: lead}}

items:

    # four spaces, and a comment
    docs:
          text: "Docs are read"
          <<: *lead

    told:   # why
          text: &told 'The team was told'
# a comment in the first column
          section: ''
          not_checked: >
              쉽게 알 수 없다,

              and never was
    logs: {text: Logs rotate, step: release}
x-end: 1
"""
THEIRS = "- [ ] Docs are read\n- [ ] The team was told\n- [ ] Logs rotate\n"


def test_a_file_written_by_a_person_stays_letter_by_letter(tmp_path: Path) -> None:
    bind(tmp_path, MINE)
    assert again(tmp_path, THEIRS) == MINE
    assert [item.id for item in load(tmp_path).items] == ["docs", "told", "logs"]
    assert again(tmp_path, "\n".join(reversed(THEIRS.split("\n")))) == MINE


def test_a_persons_file_gets_new_lines_in_its_own_indentation(tmp_path: Path) -> None:
    bind(tmp_path, MINE)
    text = again(tmp_path, THEIRS + "- [ ] Nobody knows this one\n")
    kept = [row for row in text.split("\n") if row in MINE.split("\n")]
    assert "\n".join(kept).startswith(MINE.split("x-end", maxsplit=1)[0].rstrip("\n"))
    assert "\n    nobody-knows-this-one-" in text
    assert text.endswith("\nx-end: 1\n")
    assert len(load(tmp_path).items) == 4


def test_only_the_row_of_a_reworded_line_changes_in_a_persons_file(tmp_path: Path) -> None:
    bind(tmp_path, MINE)
    text = again(tmp_path, THEIRS.replace("The team was", "All the team was"))
    assert text == MINE.replace("&told 'The team was told'", "&told All the team was told")
    assert len(load(tmp_path).items) == 3


def test_only_the_block_of_a_gone_line_changes_in_a_persons_file(tmp_path: Path) -> None:
    bind(tmp_path, MINE)
    text = again(tmp_path, THEIRS.replace("- [ ] The team was told\n", ""))
    assert [item.id for item in load(tmp_path).items] == ["docs", "logs"]
    before, _, after = MINE.partition("    told:")
    assert text.startswith(before)
    assert text.endswith(after.rpartition("never was\n")[2])
    assert "쉽게 알 수 없다," in text


def test_line_ends_of_a_persons_file_are_kept(tmp_path: Path) -> None:
    bind(tmp_path, MINE.replace("\n", "\r\n"))
    text = again(
        tmp_path, "- [ ] Docs are read\n- [ ] All the team was told\n- [ ] Nobody knows it\n"
    )
    assert text.count("\r\n") == text.count("\n")
    assert len(load(tmp_path).items) == 3


def test_words_in_one_row_with_others_cannot_be_changed_and_it_says_so(tmp_path: Path) -> None:
    bind(tmp_path, MINE)
    with pytest.raises(DocumentError, match=r"list\.yml:23: line 3 was reworded.*a row of its own"):
        again(tmp_path, THEIRS.replace("Logs rotate", "Logs rotated"))
    assert read_text(tmp_path / "list.yml") == MINE


def test_items_in_one_row_cannot_be_added_to_and_it_says_so(tmp_path: Path) -> None:
    head = "version: 1\nchecklist: list.md\ntarget: all\n"
    written = bind(tmp_path, head + "items: {docs: {text: Docs are read, step: release}}\n")
    assert again(tmp_path, "- [ ] Docs are read\n") == written
    with pytest.raises(DocumentError, match=r"list\.yml:4: its entries stand in one row"):
        again(tmp_path, "- [ ] Docs are read\n- [ ] Nobody knows this one\n")
    bind(tmp_path, head + "items: {}  # none yet\n")
    assert "items:   # none yet\n" in again(tmp_path, "- [ ] Docs are read\n")
    assert len(load(tmp_path).items) == 1


def test_an_anchor_that_others_use_does_not_go_in_silence(tmp_path: Path) -> None:
    written = bind(
        tmp_path,
        "version: 1\nchecklist: list.md\ntarget: all\nitems:\n"
        "  docs:\n    text: Docs are read\n    attest: &lead {role: lead}\n"
        "  told:\n    text: The team was told\n    attest: *lead\n",
    )
    with pytest.raises(DocumentError, match=r"list\.yml:10: cannot be brought up to date"):
        again(tmp_path, "- [ ] The team was told\n")
    assert read_text(tmp_path / "list.yml") == written


def test_a_binding_file_is_no_checklist(tmp_path: Path) -> None:
    path = tmp_path / "list.yml"
    path.write_text("- [ ] a\n")
    with pytest.raises(DocumentError, match="is a binding file"):
        make_draft(path)


def values(folder: Path, text: str) -> Values:
    path = folder / "values.yml"
    path.write_text(text)
    return read_values(path)


def test_shared_values_are_given_once_for_all_lines(tmp_path: Path) -> None:
    text = "- [ ] HTTP redirects to HTTPS\n- [ ] Security headers (HSTS) are set\n"
    asked = draft_of(tmp_path, text).waiting
    assert asked
    given = values(tmp_path, "".join(f"{name}: https://app.company.test\n" for name in asked))
    draft = draft_of(tmp_path, text, given)
    assert not draft.waiting
    first(tmp_path, text, given)
    assert all(not item.missing() for item in load(tmp_path).items)


@pytest.mark.parametrize("by_id", [True, False])
def test_values_of_one_line_are_given_by_its_number_or_its_id(tmp_path: Path, by_id: bool) -> None:  # noqa: FBT001  a case
    text = "- [ ] The team was told\n- [ ] Environment variables are set\n"
    (name, (line,)) = next(iter(draft_of(tmp_path, text).waiting.items()))
    key = line.id if by_id else line.number
    given = values(tmp_path, f"lines:\n  {key}:\n    {name}: [DB_PASSWORD]\n")
    draft = draft_of(tmp_path, text, given)
    assert name not in draft.waiting
    first(tmp_path, text, given)
    assert load(tmp_path).items[1].binding.needs[name] == ["DB_PASSWORD"]


def test_names_that_the_inventory_knows_are_not_asked_for(tmp_path: Path) -> None:
    draft = draft_of(tmp_path, "- [ ] HTTP redirects to HTTPS\n")
    names = frozenset(draft.waiting)
    assert names
    assert not make_draft(draft.source, known=names).waiting


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("- a\n", "is no mapping of names to values"),
        ("just words\n", "is no mapping"),
        ("lines: [1]\n", "lines: wants a mapping"),
        ("lines: {3: words}\n", "lines: wants a mapping"),
        ("lines: words\n", "lines: wants a mapping"),
        ("a: 1\na: 2\n", r"values\.yml:2: .*stands twice"),
        ("a: [\n", "not valid YAML"),
        ("{{ a }}: 1\n", "not valid YAML"),
    ],
)
def test_a_values_file_that_is_none_is_refused(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(DocumentError, match=says):
        values(tmp_path, text)


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "a:\nb: ''\nlines:\n"])
def test_a_values_file_with_nothing_in_it_gives_nothing(tmp_path: Path, text: str) -> None:
    assert values(tmp_path, text) == NO_VALUES


def test_values_given_later_fill_the_rows_that_wait_for_them(tmp_path: Path) -> None:
    source = tmp_path / "list.md"
    source.write_text(
        "# Checklist\n- [ ] The health endpoint responds\n- [ ] Response time p95 < 300ms\n"
    )
    first = write_new(make_draft(source), "all")
    binding_path(source).write_text(first)
    values = Values({"base_url": "http://a.tld"}, {"3": {"path": "/list"}})
    again = write_again(make_draft(source, values=values), first)
    assert "\n  base_url: http://a.tld\n" in again
    assert "\n      path: /list\n" in again
    assert again.count("path: null") == 1  # the other line still waits
    kept = write_again(make_draft(source, values=Values({"base_url": "http://b.tld"}, {})), again)
    assert kept == again


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ({"99": {"path": "/x"}}, "there is no line '99'"),
        ({"2": {"colour": "red"}}, "line 2 does not wait for 'colour'"),
    ],
)
def test_a_value_for_nobody_is_a_mistake(
    tmp_path: Path, lines: dict[str, dict[str, object]], says: str
) -> None:
    source = tmp_path / "list.md"
    source.write_text("# Checklist\n- [ ] The health endpoint responds\n")
    with pytest.raises(UsageError, match=says):
        make_draft(source, values=Values({}, lines))
