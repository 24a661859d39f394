"""Reports: renderings of a finished Run, found by file name. They read only; none of them judges."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable

from verifier.errors import UsageError
from verifier.run import Run

Render = Callable[[Run], str]


def reporter_names() -> tuple[str, ...]:
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))


def find_reporter(name: str) -> Render:
    """The `render` of `report/<name>.py`. Raises UsageError for a name there is no file for."""
    if name not in reporter_names():
        raise UsageError(f"no reporter '{name}'", do=f"known: {', '.join(reporter_names())}")
    render: Render = importlib.import_module(f"{__name__}.{name}").render
    return render
