from __future__ import annotations

from verifier.lint.finding import quoted
from verifier.lint.shell import commands_of, spans_of


def _texts(language: str, text: str) -> list[tuple[int, str]]:
    return [(at, command.text) for at, command in commands_of(language, text)]


def test_comments_and_empty_rows_are_no_commands() -> None:
    assert _texts("bash", "# Watch it\n\ndate\n") == [(2, "date")]


def test_continued_rows_are_one_command_at_its_first_row() -> None:
    assert _texts("sh", "date\ndocker compose \\\n  up -d\n") == [
        (0, "date"),
        (1, "docker compose up -d"),
    ]


def test_a_here_document_is_not_read_as_commands() -> None:
    assert _texts("bash", "cat > a <<EOF\nrm -rf /\nEOF\ndate") == [
        (0, "cat > a <<EOF"),
        (3, "date"),
    ]


def test_a_quote_over_several_rows_is_one_command() -> None:
    found = _texts("bash", 'python3 -c "\nimport os\nrm -rf x\n"\ndate')
    assert [at for at, _ in found] == [0, 4]


def test_a_quote_that_never_closes_swallows_nothing() -> None:
    assert [at for at, _ in _texts("bash", 'echo "a\ndate\nuptime')] == [0, 1, 2]


def test_other_languages_are_no_shell() -> None:
    assert commands_of("sql", "drop table users;") == ()
    assert commands_of("yaml", "watch: true") == ()


def test_a_block_without_a_language_counts_only_when_all_of_it_is_known() -> None:
    assert _texts("", "docker compose up -d\ndate") == [(0, "docker compose up -d"), (1, "date")]
    assert commands_of("", "project/\n  src/\ndate") == ()


def test_a_code_span_of_one_word_is_no_command() -> None:
    assert spans_of("`watch` and `top`") == ()
    assert [c.text for c in spans_of("`docker stats` is quiet")] == ["docker stats"]


def test_what_is_quoted_holds_no_credentials_and_is_short() -> None:
    for secret in (
        "mysqldump -u root -phunter22 shop",
        "curl -u admin:hunter22 https://x",
        "PGPASSWORD=hunter22 psql",
        "curl -H 'Authorization: Bearer hunter22' https://x",
        "sshpass -p hunter22 ssh a@b",
        "psql postgres://shop:hunter22@db/shop",
        "deploy --password hunter22",
    ):
        assert "hunter22" not in quoted(secret), secret
    assert quoted("mysqldump -u root -p$PASS shop") == "`mysqldump -u root -p$PASS shop`"
    assert len(quoted("x" * 1000)) < 100
