"""Doubt: what a line says and a proposal would not test. Looking at something else than the line says
is worse than not looking; a doubtful proposal is a person's to review.
"""

from __future__ import annotations

import re

from verifier.proposal.proposal import Proposal
from verifier.proposal.subject import Subject

# Checks that look whether something is there and works: they cannot answer a line that says "not".
_AFFIRM = {
    *("http", "env_complete", "database_service", "cache_login", "file", "program", "dns", "smtp"),
    *("document", "service", "http_latency", "prometheus_metrics"),
}
_NO_ERRORS = re.compile(
    r"(?:without|with no|no)\s+(?:\w+\s+)?(?:errors?|issues?|problems?|warnings?|downtime|failures?)"
    r"|오류 ?없이|에러 ?없이|문제 ?없이|エラーなく|問題なく|没有错误|无错误|ohne fehler|sans erreurs?"
    r"|sin errore?s?|sem erros?|без ошибок|tanpa error|hatasız|sorunsuz|not just|not only|if not|when not"
)
_NOT = re.compile(
    r"^no\b|\b(?:not|never|cannot|no longer|disabled|forbidden|without|nicht|kein\w*|ohne|pas|aucune?|sans"
    r"|sin|não|sem|non|değil|yok|không|не|нет|tidak|nie|niet|geen|no (?:es|está|están|hay|debe|expuest\w*))\b|n't\b"
    r"|않|아니|아님|금지|불가|비활성|없이|ない(?!か)|ません|禁止|不可|無効|无法|没有|未(?![来満])|不(?:能|会|应|得|允许|可)"
)
_A_CLIENTS_FAULT = 400


def doubt(subject: Subject, proposal: Proposal) -> str:
    """Why the proposal would not test what the line says; empty when there is none."""
    said = _NO_ERRORS.sub(" ", subject.title)
    if proposal.check in _AFFIRM and not _asks_for_absence(proposal) and _NOT.search(said):
        return f"it says what must not be, and `{proposal.check}` looks at what is"
    return ""


def _asks_for_absence(proposal: Proposal) -> bool:
    given = proposal.given
    refused = given.get("status", 200)
    is_refused = isinstance(refused, int) and refused >= _A_CLIENTS_FAULT
    return given.get("exists") is False or "lacks" in given or is_refused
