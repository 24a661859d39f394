from __future__ import annotations

from pathlib import Path

import pytest

from verifier.checklist.binding import BindingDocument
from verifier.document import parse_yaml, read_document
from verifier.errors import DocumentError


def _complaint(tmp_path: Path, text: str) -> str:
    file = tmp_path / "b.yml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(DocumentError) as caught:
        read_document(file, BindingDocument)
    return str(caught.value).replace(str(file), "b.yml")


HEAD = "version: 1\nchecklist: a.md\ntarget: web\nitems:\n"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (
            HEAD + "  a: {check: port, chekc: x}\n",
            "b.yml:5: items.a.chekc: unknown key",
        ),
        (
            HEAD + "  a: {}\n",
            "b.yml:5: items.a: needs exactly one of 'check', 'attest'",
        ),
        (
            HEAD + "  a: {check: port, not_checked: x}\n",
            "b.yml:5: items.a: needs exactly one",
        ),
        (
            HEAD + "  a: {check: port}\n  a: {check: port}\n",
            "b.yml:6: not valid YAML: key 'a' stands twice",
        ),
        (HEAD + "  a: {check: port, phase: later}\n", "b.yml:5: items.a.phase: Input should be"),
        ("version: 1\nchecklist: [\n", "b.yml:3: not valid YAML"),
        ("version: 2\nchecklist: a\ntarget: b\nitems: {}\n", "b.yml:1: version: Input should be 1"),
        (HEAD + "  a: {check: port, only_if: true}\n", "'only_if' and 'otherwise'"),
        (
            HEAD + "  a: {check: port, only_if: port == 1, otherwise: x}\n",
            "b.yml:5: items.a: only_if: 'port == 1' is a plain text, and so always true; write {{ port == 1 }}",
        ),
        (HEAD + "  a: {check: port, only_if: [a], otherwise: x}\n", "takes one expression"),
        (HEAD.replace("target", "taget") + "  a: {check: port}\n", "b.yml:3: taget: unknown key"),
        ("", "b.yml:1: document: wants a mapping"),
        (
            HEAD + "  a: {check: port, with: {number: {{ p }}}}\n",
            "b.yml:5: not valid YAML: a key is",
        ),
        (
            HEAD + "  a: {check: port, with: {on: 2027-02-31}}\n",
            "b.yml: not valid YAML: day is out",
        ),
    ],
)
def test_a_complaint_names_file_line_and_what_is_wrong(
    tmp_path: Path, text: str, complaint: str
) -> None:
    assert complaint in _complaint(tmp_path, text)


def test_keys_that_begin_with_x_are_free_for_anchors(tmp_path: Path) -> None:
    file = tmp_path / "b.yml"
    file.write_text("x-port: &port {check: port}\n" + HEAD + "  a: *port\n")
    assert read_document(file, BindingDocument).items["a"].check == "port"


def test_alias_bombs_and_depth_are_refused() -> None:
    bomb = "a: &a [x]\n" + "".join(f"k{n}: *a\n" for n in range(200))
    with pytest.raises(DocumentError, match="more than 100 aliases"):
        parse_yaml(bomb, where="bomb")
    with pytest.raises(DocumentError, match="nested deeper than 32"):
        parse_yaml("[" * 40 + "]" * 40, where="deep")


def test_a_file_that_is_no_utf8_text_is_named_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "b.yml"
    file.write_bytes("ok: 1\n한글: 2\n".encode("euc-kr"))
    with pytest.raises(DocumentError, match=r":2: is not UTF-8 text"):
        read_document(file, BindingDocument)


def test_a_huge_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "b.yml"
    file.write_bytes(b"#" * 3_000_000)
    with pytest.raises(DocumentError, match="larger than"):
        read_document(file, BindingDocument)
