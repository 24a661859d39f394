"""The host with docker-compose 1.29.2: made for these tests, removed after them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from integration.compose_v1.host import OldHost, old_host
from lab import ROOT


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OldHost]:
    with old_host(ROOT, tmp_path_factory.mktemp("compose-v1")) as running:
        yield running
