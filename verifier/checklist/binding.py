"""The binding file beside a checklist: for every line, how it is answered. Data only; the shapes of
the file and what it complains about.
"""

from __future__ import annotations

from typing import Literal

import pydantic

from verifier.document import Document

Every = Literal["release", "day", "week", "month", "quarter", "year"]


class Attest(Document):
    """A person in this role must answer, for every release or as often as a duty is due."""

    role: str
    every: Every = "release"


class Retry(Document):
    """How often a look is repeated: first after `settle_s`, then every `every_s` until it has passed
    `successes` times in a row. When it has not begun to pass within `within_s`, the last look counts.
    """

    settle_s: float = pydantic.Field(default=0.0, ge=0, le=600)
    within_s: float = pydantic.Field(default=0.0, ge=0, le=900)
    every_s: float = pydantic.Field(default=2.0, gt=0, le=300)
    successes: int = pydantic.Field(default=1, ge=1, le=20)


ONCE = Retry()


class Inside(Document):
    """The container a look is made in: of a compose project on the host, one of a service's."""

    project: str = pydantic.Field(min_length=1)
    service: str = pydantic.Field(min_length=1)


class Binding(Document):
    """One line's answer: exactly one of `check`, `attest`, `step`, `all_below`, `not_checked`,
    `not_a_gate` and `review`. `all_below` is the conjunction of the lines below it. A check that
    waits for values names them in `needs`; it, and a line under `review`, is not bound yet.
    """

    text: str = ""
    section: str = ""
    parent: str = ""
    source: str = ""
    reason: str = ""
    phase: Literal["before", "after"] = "after"
    target: str = ""
    advisory: bool = False
    check: str = ""
    given: dict[str, object] = pydantic.Field(default_factory=dict, alias="with")
    needs: dict[str, object] = pydantic.Field(default_factory=dict)
    vantage: Literal["host", "controller", "container"] = pydantic.Field(
        default="host", alias="from"
    )
    container: Inside | None = None
    become: bool = False
    timeout_s: float = pydantic.Field(default=60.0, gt=0, le=900)
    retry: Retry = ONCE
    attest: Attest | None = None
    step: str = ""
    all_below: bool = False
    not_checked: str = ""
    not_a_gate: str = ""
    review: str = ""
    only_if: object = None
    otherwise: str = ""

    @pydantic.model_validator(mode="after")
    def _has_one_method(self) -> Binding:
        methods = [
            bool(self.check),
            self.attest is not None,
            bool(self.step),
            self.all_below,
            bool(self.not_checked),
            bool(self.not_a_gate),
            bool(self.review),
        ]
        if sum(methods) != 1:
            raise ValueError(
                "needs exactly one of 'check', 'attest', 'step', 'all_below', 'not_checked', 'not_a_gate'"
                " and 'review'"
            )
        if (self.given or self.needs) and not self.check:
            raise ValueError("'with' and 'needs' belong to a 'check'")
        if (self.vantage == "container") != (self.container is not None):
            raise ValueError("'from: container' and 'container' (which one) belong together")
        if isinstance(self.only_if, str) and "{{" not in self.only_if:
            raise ValueError(
                f"only_if: '{self.only_if}' is a plain text, and so always true; write {{{{ {self.only_if} }}}}"
            )
        if isinstance(self.only_if, dict | list):
            raise ValueError("only_if: takes one expression in {{ }}")  # noqa: TRY004  for pydantic
        if (self.only_if is not None) != bool(self.otherwise):
            raise ValueError("'only_if' and 'otherwise' (why it does not apply) belong together")
        return self

    def missing(self, values: frozenset[str]) -> tuple[str, ...]:
        """The needs that neither this line nor `values` (names that have one) fills."""
        return tuple(n for n, given in self.needs.items() if is_empty(given) and n not in values)


class BindingDocument(Document):
    """A binding file: which Markdown file, for which hosts, values that lines share, and a Binding
    for every line.
    """

    version: Literal[1]
    checklist: str
    target: str
    values: dict[str, object] = pydantic.Field(default_factory=dict)
    items: dict[str, Binding]

    @pydantic.field_validator("values", mode="before")
    @classmethod
    def _may_be_bare(cls, values: object) -> object:
        return {} if values is None else values  # `values:` with nothing below it


def is_empty(value: object) -> bool:
    """Nothing was filled in yet."""
    return value is None or value in ("", [], {})
