"""What an image brings along when compose does not say otherwise: its user, its environment, its
health check. Asked of the engine (`docker image inspect`); nothing is started. Facts only; no
opinion.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from verifier.checks.base import Host, ask
from verifier.errors import CannotObserve


def image_name(project: str, service: str, body: Mapping[str, Any]) -> str:
    """The image a service of a merged configuration runs: what it names, or what compose calls a
    built one.
    """
    return str(body.get("image") or f"{project}-{service}")


def image_config(host: Host, image: str) -> Mapping[str, Any]:
    """The `Config` of an image on the host. CannotObserve when the image is not there."""
    answer = ask(host, "docker image inspect --format %s %s", "{{json .Config}}", image)
    try:
        config = json.loads(answer)
    except json.JSONDecodeError as error:
        raise CannotObserve("`docker image inspect` printed no JSON") from error
    return config if isinstance(config, dict) else {}


def healthcheck_test(host: Host, image: str, body: Mapping[str, Any]) -> tuple[str, ...]:
    """The words of the health check a service will have, beginning with CMD or CMD-SHELL; empty for
    none.
    """
    own = body.get("healthcheck") or {}
    if own.get("disable"):
        return ()
    test = own.get("test")
    if test is None:
        test = (image_config(host, image).get("Healthcheck") or {}).get("Test") or []
    words = ("CMD-SHELL", test) if isinstance(test, str) else tuple(map(str, test))
    return () if words[:1] == ("NONE",) else words
