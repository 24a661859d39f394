"""Every service of the merged compose configuration runs the image of this release, and nothing
else runs.

    - id: services-of-this-release
      check: container_release
      with: {stack: "{{ compose_stack }}"}

For each service its image reference is resolved by the host's engine and compared with the image
its containers were made from; where the release directory holds `images.json` (service -> image id,
written when the release was pinned) the two must be equal as well. A service without a container,
one on an older image, an image that is not in the engine, and a container of the project that no
service asks for are each named.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

from verifier.checks._compose import Stack, containers, image_id, merged_config
from verifier.checks.base import Check, Host, Mismatch, ask
from verifier.errors import CannotObserve


@dataclass(frozen=True)
class Params:
    stack: Stack
    pins: str = "images.json"


@dataclass(frozen=True)
class Service:
    """`image_id` is what `reference` resolves to ("" when the engine has no such image), `pinned`
    what was recorded.
    """

    name: str
    reference: str
    image_id: str
    pinned: str
    replicas: int
    running: tuple[str, ...]


@dataclass(frozen=True)
class Seen:
    services: tuple[Service, ...]
    extra: tuple[str, ...]


def observe(host: Host, want: Params) -> Seen:
    config = merged_config(host, want.stack)["services"]
    found = containers(host, want.stack.project)
    pins = _pins(host, f"{want.stack.directory}/{want.pins}")
    services = tuple(
        Service(
            name=name,
            reference=(reference := str(given.get("image") or f"{want.stack.project}-{name}")),
            image_id=image_id(host, reference),
            pinned=pins.get(name, ""),
            replicas=int((given.get("deploy") or {}).get("replicas", 1)),
            running=tuple(one.image_id for one in found if one.service == name),
        )
        for name, given in sorted(config.items())
    )
    return Seen(services, tuple(one.name for one in found if one.service not in config))


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    del want
    found = [mismatch for service in seen.services for mismatch in _wrong(service)]
    found += [
        Mismatch(f"container {name}", "no container that the release does not ask for", "it exists")
        for name in seen.extra
    ]
    return found


def _impossible(want: Params) -> Params:
    return replace(want, stack=replace(want.stack, project="verifier-no-such-thing"))


CHECK = Check(Params, observe, judge, impossible=_impossible)


def _pins(host: Host, path: str) -> dict[str, str]:
    if host.run("test -e %s", path).rc != 0:
        return {}
    try:
        pins = json.loads(ask(host, "cat %s", path))
    except json.JSONDecodeError as error:
        raise CannotObserve(f"'{path}' is not JSON") from error
    return {str(service): str(image) for service, image in dict(pins).items()}


def _wrong(service: Service) -> list[Mismatch]:
    what = f"service {service.name}"
    if not service.image_id:
        return [Mismatch(what, f"image {service.reference}", "the engine has no such image")]
    if len(service.running) != service.replicas:
        saw = f"{len(service.running)} containers" if service.running else "no container"
        return [Mismatch(what, f"{service.replicas} container(s) of {service.reference}", saw)]
    wanted = f"image {_short(service.image_id)} ({service.reference})"
    found = [
        Mismatch(what, wanted, f"a container of image {_short(image)}")
        for image in service.running
        if image != service.image_id
    ]
    if service.pinned and service.pinned != service.image_id:
        pinned = f"the pinned image {_short(service.pinned)}"
        found.append(Mismatch(what, pinned, f"{service.reference} is {_short(service.image_id)}"))
    return found


def _short(image: str) -> str:
    return image.removeprefix("sha256:")[:12]
