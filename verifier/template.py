"""Values of the inventory with their `{{ variables }}` filled in, by Jinja in a sandbox: what an
inventory says never runs anything on this machine. Pure.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping

import jinja2
import jinja2.meta
import jinja2.sandbox

from verifier.errors import UsageError

_MAX_DEPTH = 20


def resolve(value: object, variables: Mapping[str, object], host: str, depth: int = 0) -> object:
    """`value`, and all that it contains, with every expression replaced. A text that is one single
    expression keeps the type of its value. UsageError names `host` and what is missing or wrong.
    """
    if depth > _MAX_DEPTH:
        raise UsageError(f"host '{host}': a variable refers to itself", do="break the circle")
    if isinstance(value, dict):
        return {k: resolve(v, variables, host, depth + 1) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [resolve(v, variables, host, depth + 1) for v in value]
    if not isinstance(value, str) or ("{{" not in value and "{%" not in value):
        return value
    return _render(value, variables, host, depth)


class _Lazy(Mapping[str, object]):
    """Variables that are templates themselves are resolved when, and only when, they are looked up."""

    def __init__(self, variables: Mapping[str, object], host: str, depth: int) -> None:
        self._variables, self._host, self._depth = variables, host, depth

    def __getitem__(self, key: str) -> object:
        return resolve(self._variables[key], self._variables, self._host, self._depth + 1)

    def __iter__(self) -> Iterator[str]:
        return iter(self._variables)

    def __len__(self) -> int:
        return len(self._variables)


@functools.cache
def _templates() -> jinja2.Environment:
    # Sandboxed and without Ansible's lookups: data from an inventory never runs anything on this machine.
    return jinja2.sandbox.ImmutableSandboxedEnvironment(
        undefined=jinja2.StrictUndefined, autoescape=False, keep_trailing_newline=True
    )


_ONE_EXPRESSION = re.compile(r"\{\{((?:(?!\}\}|\{\{).)*)\}\}\s*", re.DOTALL)


def _render(text: str, variables: Mapping[str, object], host: str, depth: int) -> object:
    lazy = _Lazy(variables, host, depth)
    try:
        names = _names_in(text)
        known = {name: lazy[name] for name in names if name in variables}
        whole = _ONE_EXPRESSION.fullmatch(text.strip())
        if whole:
            found = _templates().compile_expression(whole.group(1), undefined_to_none=False)(
                **known
            )
            if isinstance(found, jinja2.Undefined):
                str(found)  # raises with the name that is missing
            return found
        return _templates().from_string(text).render(**known)
    except jinja2.UndefinedError as error:
        raise UsageError(
            f"host '{host}': {error.message} in `{_shown(text)}`",
            do="set it in the inventory's group_vars",
        ) from error
    except (jinja2.TemplateError, ArithmeticError, TypeError, ValueError, LookupError) as error:
        # The first is Jinja's own; the others come out of an expression such as `1 / 0`.
        raise UsageError(
            f"host '{host}': template `{_shown(text)}`: {error}",
            do="only plain variables and filters work here",
        ) from error


def _names_in(text: str) -> set[str]:
    return jinja2.meta.find_undeclared_variables(_templates().parse(text))


def _shown(text: str) -> str:
    return " ".join(text.split())[:80]
