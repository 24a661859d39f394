"""Attestation: what a person in a role says about a line that no program can look at: named, dated,
expiring, with a link to what it rests on. Read from a file; whether one counts for a line today is
decided here, and nothing here looks at a host.
"""

from __future__ import annotations

import datetime as dt
import difflib
import unicodedata
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Annotated

import pydantic

from verifier.document import Document, read_document
from verifier.errors import DocumentError, UsageError

Text = Annotated[str, pydantic.StringConstraints(strip_whitespace=True, min_length=1)]

APPROVER, DEPLOYER = "approver", "deployer"

# How long one answer holds for a duty, in days; the longest month, quarter and year.
_DAYS: Mapping[str, int] = {"day": 1, "week": 7, "month": 31, "quarter": 92, "year": 366}


class Attestation(Document):
    """One statement. `expires` is the last day on which it holds; `hosts` empty means all. `release`
    is the one it was given for, and needed where a line is attested anew for every release.
    """

    item: Text
    role: Text
    name: Text
    date: dt.date
    statement: Annotated[Text, pydantic.Field(min_length=10)]
    expires: dt.date
    evidence: Text
    release: str = ""
    hosts: tuple[str, ...] = ()

    @pydantic.model_validator(mode="after")
    def _ends_after_it_begins(self) -> Attestation:
        if self.expires < self.date:
            raise ValueError(f"expires on {self.expires}, before it was given on {self.date}")
        return self

    def covers(self, item: str, host: str) -> bool:
        return item == self.item and (not self.hosts or host in self.hosts)


class Attestations(Document):
    """A file of attestations. `deployer` is who deploys what they were given for."""

    version: int = pydantic.Field(ge=1, le=1)
    deployer: str = ""
    attestations: tuple[Attestation, ...] = pydantic.Field(min_length=1)

    def deployers(self, release: str) -> frozenset[str]:
        """The names, folded, of those who say here that they deploy `release`."""
        said = {
            one.name for one in self.attestations if one.role == DEPLOYER and one.release == release
        }
        return frozenset(map(folded, said | ({self.deployer} if self.deployer else set())))


def load_attestations(project: Path, inventory: str, given: Path | None) -> Attestations | None:
    """The attestations in `given`, else in `attestations/<inventory>.yml`; None when nobody gave
    any. Raises DocumentError, for a file without any as well.
    """
    path = given or project / "attestations" / f"{Path(inventory).stem}.yml"
    stray = path.with_suffix(".yaml")
    if not given and stray.exists():
        raise DocumentError("is not read", where=str(stray), do=f"name it {path.name}")
    return read_document(path, Attestations) if given or path.exists() else None


def refuse_strangers(found: Attestations, items: AbstractSet[str]) -> None:
    """UsageError for an attestation of an item that no checklist has."""
    for one in found.attestations:
        if one.item not in items:
            near = difflib.get_close_matches(one.item, items, 1)
            raise UsageError(
                f"attestation of '{one.item}', which is no item of any checklist",
                do=f"did you mean '{near[0]}'?" if near else "use the item's id",
            )


def objection(
    one: Attestation,
    *,
    role: str,
    every: str,
    release: str,
    deployers: AbstractSet[str],
    today: dt.date,
) -> str:
    """Why `one` does not count for a line that wants `role` `every` so often; empty when it does.
    `deployers` are folded names.
    """
    who = f"{one.name} ({one.role}, {one.date})"
    if folded(one.role) != folded(role):
        return f"{who} is no {role}"
    if one.date > today:
        return f"{who} is dated in the future"
    if today > one.expires:
        return f"{who} expired on {one.expires}"
    if every == "release" and one.release != release:
        return f"{who} was given for release {one.release or '(none named)'}, not for {release}"
    if every in _DAYS and today > (due := one.date + dt.timedelta(days=_DAYS[every])):
        return f"{who} was due again on {due}: it is wanted every {every}"
    return _not_independent(one, who, deployers)


def folded(text: str) -> str:
    """A name as it is compared: composed, without case and outer blanks."""
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())


def _not_independent(one: Attestation, who: str, deployers: AbstractSet[str]) -> str:
    if folded(one.role) != APPROVER:
        return ""
    if not deployers:
        return f"{who} cannot be told from the deployer: say who deploys (deployer: NAME)"
    return f"{who} is the deployer, too" if folded(one.name) in deployers else ""
