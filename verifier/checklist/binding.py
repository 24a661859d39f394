"""The binding file beside a checklist: for every line, how it is answered. Data only; the shapes of
the file and what it complains about.
"""

from __future__ import annotations

from typing import Literal

import pydantic

from verifier.document import Document


class Attest(Document):
    """A person in this role must answer."""

    role: str


class Binding(Document):
    """One line's answer: exactly one of `check`, `attest` and `not_checked`."""

    source: str = ""
    phase: Literal["before", "after"] = "after"
    target: str = ""
    advisory: bool = False
    check: str = ""
    given: dict[str, object] = pydantic.Field(default_factory=dict, alias="with")
    vantage: Literal["host", "controller"] = pydantic.Field(default="host", alias="from")
    become: bool = False
    timeout_s: float = pydantic.Field(default=60.0, gt=0, le=900)
    attest: Attest | None = None
    not_checked: str = ""
    only_if: object = None
    otherwise: str = ""

    @pydantic.model_validator(mode="after")
    def _has_one_method(self) -> Binding:
        methods = [bool(self.check), self.attest is not None, bool(self.not_checked)]
        if sum(methods) != 1:
            raise ValueError("needs exactly one of 'check', 'attest' and 'not_checked'")
        if self.given and not self.check:
            raise ValueError("'with' belongs to a 'check'")
        if isinstance(self.only_if, str) and "{{" not in self.only_if:
            raise ValueError(
                f"only_if: '{self.only_if}' is a plain text, and so always true; write {{{{ {self.only_if} }}}}"
            )
        if isinstance(self.only_if, dict | list):
            raise ValueError("only_if: takes one expression in {{ }}")  # noqa: TRY004  for pydantic
        if (self.only_if is not None) != bool(self.otherwise):
            raise ValueError("'only_if' and 'otherwise' (why it does not apply) belong together")
        return self


class BindingDocument(Document):
    """A binding file: which Markdown file, for which hosts, and a Binding for every line of it."""

    version: Literal[1]
    checklist: str
    target: str
    items: dict[str, Binding]
