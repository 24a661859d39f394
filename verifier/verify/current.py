"""Which releases each host has and which it runs, as its folders and its `current` link say. Looks
only; a host that does not answer has none.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import PurePosixPath

from verifier.errors import CannotObserve, Unreachable
from verifier.history import read_entry, way_here
from verifier.inventory import Host
from verifier.plan import RELEASE_NAME
from verifier.verify.connect import Connections

_DENIED = 77


@dataclass(frozen=True, slots=True)
class Releases:
    """The releases of one host: `present` are the folders, `previous` is the one that ran before
    `current`, leaving out what a rollback has turned away from.
    """

    current: str
    previous: str
    present: tuple[str, ...]


def releases_on(hosts: Sequence[Host], connections: Connections) -> dict[str, Releases]:
    """Host name -> its Releases. Raises Unreachable for a host that does not answer."""
    with ThreadPoolExecutor(max_workers=max(1, len(hosts))) as pool:
        return dict(
            zip(
                (h.name for h in hosts),
                pool.map(lambda h: _releases(h, connections), hosts),
                strict=True,
            )
        )


def current_releases(
    hosts: Sequence[Host], connections: Connections, *, strict: bool = False
) -> dict[str, str]:
    """Host name -> the release that `<release_root>/current` points at; without hosts that have
    none. When `strict`, raises for a host that cannot be asked instead of taking it for an empty one.
    """

    def look(host: Host) -> str:
        try:
            return _current(host, connections)
        except (Unreachable, CannotObserve):
            if strict:
                raise
            return ""

    with ThreadPoolExecutor(max_workers=max(1, len(hosts))) as pool:
        found = zip(hosts, pool.map(look, hosts), strict=True)
        return {host.name: release for host, release in found if release}


def unreachable_hosts(hosts: Sequence[Host], connections: Connections) -> dict[str, str]:
    """Host name -> why it cannot be reached; empty when all answer."""
    with ThreadPoolExecutor(max_workers=max(1, len(hosts))) as pool:
        found = zip(hosts, pool.map(lambda host: _why_not(host, connections), hosts), strict=True)
        return {host.name: why for host, why in found if why}


def _current(host: Host, connections: Connections) -> str:
    root = host.variable("release_root")
    if not root:
        return ""
    view, _ = connections.open(host).look()
    link = str(PurePosixPath(str(root)) / "current")
    answer = view.run(
        f"readlink %s || {{ test ! -d %s || test -x %s || exit {_DENIED}; exit 1; }}",
        link, str(root), str(root),
    )  # fmt: skip
    if answer.rc == _DENIED:
        raise CannotObserve(f"{root} may not be looked into", where=host.name)
    name = PurePosixPath(answer.stdout.strip()).name
    # A name from a host is data: anything that is no release name is treated as no release at all.
    return name if answer.rc == 0 and RELEASE_NAME.fullmatch(name) else ""


def _releases(host: Host, connections: Connections) -> Releases:
    root = str(host.variable("release_root", "/nonexistent"))
    view, _ = connections.open(host).look()
    folders = view.run("ls -1 %s", f"{root}/releases").stdout.split()
    history = view.run("cat %s", f"{root}/history.jsonl").stdout.splitlines()
    present = tuple(name for name in folders if RELEASE_NAME.fullmatch(name))
    current = _current(host, connections)
    # A line that is not understood, torn by a power cut perhaps, must not bar the way back.
    way = way_here(entry for line in history if (entry := read_entry(line)) is not None)
    earlier = [name for name in way if name in present and name != current]
    return Releases(current, earlier[-1] if earlier else "", present)


def _why_not(host: Host, connections: Connections) -> str:
    try:
        connections.open(host)
    except Unreachable as error:
        return error.what
    return ""
