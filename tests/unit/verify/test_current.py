from __future__ import annotations

import pytest

from support import FakeConnections, FakeShell, Recorded
from verifier.errors import CannotObserve
from verifier.inventory import Host, Reach
from verifier.verify.current import Releases, current_releases, releases_on

ONE_TWO = '{"release": "1"}\n{"release": "2"}\n'


def _releases(folders: str, history: str, current: str) -> Releases:
    link = Recorded("readlink", f"releases/{current}\n", rc=0 if current else 1)
    shell = FakeShell([Recorded("ls -1", folders), Recorded("history.jsonl", history), link])
    host = Host("h1", (), Reach("ssh", "h1"), {"release_root": "/srv/app"})
    with FakeConnections(lambda _: shell) as connections:
        return releases_on([host], connections)["h1"]


def test_a_refused_release_is_no_way_back() -> None:
    history = ONE_TWO + '{"release": "3"}\n{"release": "2", "back": true}\n'
    assert _releases("1\n2\n3\n", history, "2") == Releases("2", "1", ("1", "2", "3"))


def test_a_release_whose_folder_is_gone_is_no_way_back() -> None:
    assert _releases("2\n", ONE_TWO, "2") == Releases("2", "", ("2",))


def test_what_is_no_history_does_not_bar_the_way() -> None:
    assert _releases("1\n2\n..\n", f"{ONE_TWO}{{torn", "2") == Releases("2", "1", ("1", "2"))


def test_a_host_without_a_release_has_no_way_back() -> None:
    assert _releases("", "", "") == Releases("", "", ())


def test_a_host_that_may_not_be_looked_into_is_not_an_empty_one() -> None:
    host = Host("h1", (), Reach("ssh", "h1"), {"release_root": "/srv/app"})
    shell = FakeShell([Recorded("readlink", rc=77)])
    with FakeConnections(lambda _: shell) as connections:
        assert current_releases([host], connections) == {}
        with pytest.raises(CannotObserve, match="/srv/app may not be looked into"):
            current_releases([host], connections, strict=True)
