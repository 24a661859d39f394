"""Typed documents: the only import of yaml. Reads a YAML file within limits, refuses duplicate
keys, and turns it into a typed value; every complaint names the file, the line and what it should
be. Also writes values as JSON.
"""

from __future__ import annotations

import json
from collections.abc import Hashable
from pathlib import Path
from typing import Any, TypeVar

import pydantic
import pydantic_core
import yaml

from verifier.errors import DocumentError

MAX_BYTES = 2 * 1024 * 1024
MAX_OWN_BYTES = 1024 * 1024 * 1024  # a run of hundreds of hosts
MAX_ALIASES = 100
MAX_DEPTH = 32

T = TypeVar("T")

# libyaml reads ten times faster where PyYAML was built with it; what they accept is the same.
_FastLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Document(pydantic.BaseModel):
    """The base of every file format: unknown keys are errors, values never change. `x-` keys are
    free for anchors.
    """

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)


def read_document(path: Path, shape: type[T]) -> T:
    """The YAML file at `path` as `shape`. Raises DocumentError with path and line."""
    text = read_text(path)
    data = parse_yaml(text, where=str(path))
    if isinstance(data, dict):
        data = {k: v for k, v in data.items() if not str(k).startswith("x-")}
    try:
        return pydantic.TypeAdapter(shape).validate_python(data)
    except pydantic.ValidationError as error:
        first = _first_of(error)
        line = line_of(text, tuple(first["loc"]))
        place = ".".join(str(part) for part in first["loc"])
        raise DocumentError(
            f"{place or 'document'}: {_in_plain_words(first)}", where=f"{path}:{line}"
        ) from error


def read_text(path: Path, *, at_most: int = MAX_BYTES) -> str:
    """The file as UTF-8 text, of so many bytes at most. Raises DocumentError."""
    try:
        with path.open("rb") as file:
            raw = file.read(at_most + 1)  # never all of something endless
    except OSError as error:
        raise DocumentError(f"cannot be read: {error.strerror}", where=str(path)) from error
    if len(raw) > at_most:
        raise DocumentError(f"is larger than {at_most} bytes", where=str(path))
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise DocumentError(
            "is not UTF-8 text", where=f"{path}:{line}", do="save it as UTF-8"
        ) from error


def parse_yaml(text: str, *, where: str) -> object:
    """YAML text as plain values, with limits on aliases and depth and without duplicate keys."""
    try:
        _refuse_bombs(text, where)
        return yaml.load(text, _StrictLoader)  # noqa: S506  a SafeLoader that also refuses duplicate keys
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = getattr(mark, "line", 0) + 1
        problem = " ".join(str(error.problem or error.context or "not valid YAML").split())
        raise DocumentError(f"not valid YAML: {problem}", where=f"{where}:{line}") from error
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date such as 2027-02-31
        raise DocumentError(
            f"not valid YAML: {' '.join(str(error).split())}", where=where
        ) from error


def to_yaml(value: object) -> str:
    """Plain values as block-style YAML, keys in the given order, Korean left readable."""
    return yaml.safe_dump(value, allow_unicode=True, sort_keys=False, width=100)


def to_plain(value: object) -> Any:  # noqa: ANN401  the door between typed values and JSON
    """Dataclasses, models, enums, paths and times as JSON-ready values."""
    return pydantic_core.to_jsonable_python(value)


def to_json(value: object) -> str:
    return json.dumps(to_plain(value), ensure_ascii=False, indent=2) + "\n"


def from_plain(shape: type[T], data: object) -> T:
    """The reverse of `to_plain`; raises DocumentError when the data is not of that shape."""
    try:
        return pydantic.TypeAdapter(shape).validate_python(data)
    except pydantic.ValidationError as error:
        first = _first_of(error)
        where = ".".join(map(str, first["loc"]))
        raise DocumentError(f"{where}: {_in_plain_words(first)}") from error


def from_json(text: str) -> object:
    """JSON text as plain values; DocumentError when it is none."""
    try:
        return json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise DocumentError("not valid JSON") from error


def read_json(path: Path, shape: type[T]) -> T:
    """The JSON file at `path`, one that verifier wrote itself, as `shape`. Raises DocumentError."""
    try:
        data = json.loads(read_text(path, at_most=MAX_OWN_BYTES))
    except json.JSONDecodeError as error:
        raise DocumentError(
            f"not valid JSON: {error.msg}", where=f"{path}:{error.lineno}"
        ) from error
    return from_plain(shape, data)


_PLAIN_WORDS = {
    "extra_forbidden": "unknown key",
    "missing": "is missing",
    "tuple_type": "wants a list",
    "list_type": "wants a list",
    "dict_type": "wants a mapping",
    "model_type": "wants a mapping",
}


def _first_of(error: pydantic.ValidationError) -> pydantic_core.ErrorDetails:
    """The complaint to show: a key nobody knows explains the one that is missing."""
    found = error.errors()
    return next((e for e in found if e["type"] == "extra_forbidden"), found[0])


def _in_plain_words(error: pydantic_core.ErrorDetails) -> str:
    return _PLAIN_WORDS.get(error["type"], error["msg"].removeprefix("Value error, "))


def line_of(text: str, loc: tuple[str | int, ...]) -> int:
    """The line, from 1, of the value at `loc` in YAML text, or of the nearest thing around it."""
    node = _compose(text)
    line = 1
    for part in loc:
        if isinstance(node, yaml.MappingNode):
            found = next(((k, v) for k, v in node.value if k.value == str(part)), None)
            if found is None:
                break
            line, node = found[0].start_mark.line + 1, found[1]
        elif (
            isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value)
        ):
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            break
    return line


def lines_below(text: str, key: str) -> dict[str, int]:
    """The line, from 1, of every entry of the mapping under the top-level `key` of YAML text."""
    node = _compose(text)
    for name, below in node.value if isinstance(node, yaml.MappingNode) else ():
        if name.value == key and isinstance(below, yaml.MappingNode):
            return {entry.value: entry.start_mark.line + 1 for entry, _ in below.value}
    return {}


class _StrictLoader(_FastLoader):  # type: ignore[misc,valid-type]  # chosen above
    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002  yaml's signature
        seen: set[object] = set()
        for key_node, _ in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":
                continue
            key = key_node.value
            if not isinstance(key_node, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(
                    problem="a key is a text; a template needs quotes",
                    problem_mark=key_node.start_mark,
                )
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    problem=f"key '{key}' stands twice", problem_mark=key_node.start_mark
                )
            seen.add(key)
        found: dict[Hashable, Any] = super().construct_mapping(node, deep)
        return found


def _refuse_bombs(text: str, where: str) -> None:
    aliases = depth = 0
    for event in yaml.parse(text, _FastLoader):
        if isinstance(event, yaml.AliasEvent):
            aliases += 1
        elif isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if aliases > MAX_ALIASES or depth > MAX_DEPTH:
            line = getattr(event.start_mark, "line", 0) + 1
            problem = (
                f"more than {MAX_ALIASES} aliases"
                if aliases > MAX_ALIASES
                else f"nested deeper than {MAX_DEPTH}"
            )
            raise DocumentError(problem, where=f"{where}:{line}")


def _compose(text: str) -> Any:  # noqa: ANN401  yaml's untyped nodes
    return yaml.compose(text, _FastLoader)
