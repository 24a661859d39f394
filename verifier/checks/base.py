"""The contract of a check: parameters, what was seen, `observe` (touches a host, cannot decide) and
`judge` (decides, cannot touch a host). Holds the words every check uses and the finder that loads a
check by its file name; it must not know any check, any checklist, or how a host is reached.
"""

from __future__ import annotations

import dataclasses
import difflib
import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Protocol, TypeVar, cast

import pydantic

from verifier.errors import CannotObserve, UsageError


class CommandResult(Protocol):
    """testinfra's answer to `host.run`: exit status and decoded output."""

    @property
    def rc(self) -> int: ...
    @property
    def stdout(self) -> str: ...
    @property
    def stderr(self) -> str: ...


class Host(Protocol):
    """The part of a testinfra host that checks rely on. `%s` in `command` takes a quoted argument."""

    def run(self, command: str, *args: str) -> CommandResult: ...


class DataclassLike(Protocol):
    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]


P = TypeVar("P", bound=DataclassLike)
S = TypeVar("S", bound=DataclassLike)


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One difference between what was wanted and what was seen, in words a person can act on."""

    what: str
    wanted: str
    saw: str

    def __str__(self) -> str:
        return f"{self.what}: wanted {self.wanted}, saw {self.saw}"


@dataclass(frozen=True, slots=True)
class Check(Generic[P, S]):
    """One kind of look-and-judge. `judge` returns no mismatch for a PASS; it never sees a host.
    `impossible` makes of parameters such that no host can meet, for the negative control. A check
    that `burdens` puts load on the service: it runs alone on its host, and only when load is asked
    for; those of one that `shares` run together, and what they have in common is measured once.
    """

    params: type[P]
    observe: Callable[[Host, P], S]
    judge: Callable[[P, S], list[Mismatch]]
    impossible: Callable[[P], P]
    burdens: bool = False
    shares: bool = False

    def read(self, given: Mapping[str, object]) -> P:
        """`given` (the `with:` of a binding) as typed parameters; UsageError names the key and what
        it should be.
        """
        self.refuse_unknown(given)
        try:
            return _reader(self.params).validate_python(dict(given))
        except pydantic.ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"]) or "with"
            raise UsageError(f"parameter '{place}': {first['msg']}") from error

    def refuse_unknown(self, given: Mapping[str, object]) -> None:
        """UsageError with the nearest name for a parameter that the check does not have."""
        known = {field.name for field in dataclasses.fields(self.params)}
        for key in given:
            if key not in known:
                near = difflib.get_close_matches(key, known, 1)
                hint = (
                    f"did you mean '{near[0]}'?" if near else f"known: {', '.join(sorted(known))}"
                )
                raise UsageError(f"unknown parameter '{key}'", do=hint)


def ask(host: Host, command: str, *args: str) -> str:
    """The standard output of a command that must work for anything to be known; CannotObserve if it
    does not.
    """
    answer = host.run(command, *args)
    if answer.rc != 0:
        said = (answer.stderr.strip() or answer.stdout.strip() or "no output").splitlines()[-1]
        shown = (command % args if args else command).splitlines()[0].strip()
        raise CannotObserve(f"`{shown[:120]}` ended with {answer.rc}: {said[:300]}")
    return answer.stdout


def find_check(name: str) -> Check[Any, Any]:
    """The check in `verifier/checks/<name>.py`; UsageError with the nearest name if there is none."""
    if name not in check_names():
        near = difflib.get_close_matches(name, check_names(), 1)
        raise UsageError(
            f"unknown check '{name}'",
            do=f"did you mean '{near[0]}'?"
            if near
            else "see verifier/checks for the kinds there are",
        )
    return cast("Check[Any, Any]", importlib.import_module(f"verifier.checks.{name}").CHECK)


def check_names() -> tuple[str, ...]:
    """Every kind of check, sorted: the public modules of this package except the contract itself."""
    package = importlib.import_module("verifier.checks")
    names = (module.name for module in pkgutil.iter_modules(package.__path__))
    return tuple(sorted(n for n in names if n != "base" and not n.startswith("_")))


def _reader(params: type[P]) -> pydantic.TypeAdapter[P]:
    # Inventory values arrive as YAML typed them: a port may come as 8000 or "8000", a version as 2 or "2".
    if "__pydantic_config__" not in params.__dict__:
        config = pydantic.ConfigDict(extra="forbid", coerce_numbers_to_str=True)
        setattr(params, "__pydantic_config__", config)  # noqa: B010  mypy knows no such attribute
    return pydantic.TypeAdapter(params)
