"""The catalogue's manual: what each check asks and takes, from its docstring and its parameters; and
the JSON Schema of the binding file, made of the same. Reads modules, knows no check by name.
"""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import re
from collections.abc import Iterator
from typing import Any, get_args, get_origin, get_type_hints

import pydantic

from verifier.checklist.binding import BindingDocument
from verifier.checks._compose import Stack
from verifier.checks.base import check_names, find_check

_WORDS = (
    (r"tuple\[(.+?), \.\.\.\]", r"list of \1"),
    (r"(?:Mapping|dict)\[str, (.+)\]", r"mapping to \1"),
    (r"Literal\[(.+?)\]", r"one of \1"),
    (r"\bStack\b", "compose stack"),
    (r"\bstr\b", "text"),
    (r"\bint\b", "whole number"),
    (r"\bfloat\b", "number"),
    (r"\bbool\b", "true or false"),
    (r"\bNone\b", "null"),
    (r"\b[A-Z][a-z]+\b", "mapping"),
)


@dataclasses.dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter in words; `default` is `required` where there is none."""

    name: str
    type: str
    default: str


@dataclasses.dataclass(frozen=True, slots=True)
class Manual:
    """One check: its first paragraph, its whole text, and its parameters in order."""

    name: str
    summary: str
    text: str
    parameters: tuple[Parameter, ...]


def manual_of(name: str) -> Manual:
    """The manual of the check `name`; UsageError with the nearest name if there is none."""
    check = find_check(name)
    text = inspect.getdoc(importlib.import_module(f"verifier.checks.{name}")) or ""
    summary = " ".join(text.split("\n\n", maxsplit=1)[0].split())
    return Manual(name, summary, text, parameters_of(check.params))


def manuals() -> tuple[Manual, ...]:
    return tuple(manual_of(name) for name in check_names())


def parameters_of(params: type[Any]) -> tuple[Parameter, ...]:
    """The parameters of a check, those of mappings inside them too, with dotted names."""
    return tuple(_parameters(params))


def binding_schema() -> dict[str, Any]:
    """The JSON Schema of a binding file: with the name of every check and, for each, its parameters.
    A text with `{{ }}` may stand for any value.
    """
    schema = BindingDocument.model_json_schema(by_alias=True)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "verifier binding file"
    schema["patternProperties"] = {"^x-": {}}
    binding = schema["$defs"]["Binding"]
    binding["properties"]["check"] = {
        "enum": list(check_names()),
        "description": "The kind of check.",
    }
    binding["allOf"] = [_when(name) for name in check_names()]
    return schema


def _when(name: str) -> dict[str, Any]:
    """If the check is `name`, `with` takes its parameters and no others."""
    given = pydantic.TypeAdapter(find_check(name).params).json_schema()
    fields = dict.fromkeys(given.get("properties", {}))
    properties = {
        field: {
            "anyOf": [
                {"type": "string", "pattern": r"\{\{"},
                {"description": _type_of(name, field)},
            ]
        }
        for field in fields
    }
    wanted = {
        "properties": properties,
        "additionalProperties": False,
        "required": given.get("required", []),
    }
    return {
        "if": {"properties": {"check": {"const": name}}, "required": ["check"]},
        "then": {"properties": {"with": {k: v for k, v in wanted.items() if v != []}}},
    }


def _type_of(name: str, field: str) -> str:
    found = next(p for p in parameters_of(find_check(name).params) if p.name == field)
    return f"{found.type}; default: {found.default}"


def _parameters(params: type[Any], prefix: str = "") -> Iterator[Parameter]:
    hints = get_type_hints(params)
    for field in dataclasses.fields(params):
        hint, name = hints[field.name], f"{prefix}{field.name}"
        yield Parameter(name, _word(hint), _default(field))
        inner = _inner(hint)
        if inner not in (None, Stack):
            yield from _parameters(inner, name + _between(hint))


def _inner(hint: Any) -> Any:  # noqa: ANN401  whatever a parameter is annotated with
    candidates = (hint, *get_args(hint))
    return next(
        (c for c in candidates if isinstance(c, type) and dataclasses.is_dataclass(c)), None
    )


def _between(hint: Any) -> str:  # noqa: ANN401  the same
    origin = get_origin(hint)
    return "[]." if origin is tuple else ".*." if origin is dict else "."


def _word(hint: Any) -> str:  # noqa: ANN401  the same
    plain = hint.__name__ if isinstance(hint, type) and not get_args(hint) else str(hint)
    plain = re.sub(r"\b(?:[A-Za-z_]+\.)+", "", plain)
    for found, word in _WORDS:
        plain = re.sub(found, word, plain)
    return plain.replace(" | ", " or ")


def _default(field: dataclasses.Field[Any]) -> str:
    value = field.default
    if value is dataclasses.MISSING:
        if field.default_factory is dataclasses.MISSING:
            return "required"
        value = field.default_factory()
    if value is None:
        return "null"
    if dataclasses.is_dataclass(value) or value in ("", (), {}):
        return "empty"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return ", ".join(map(str, value)) if isinstance(value, tuple) else text
