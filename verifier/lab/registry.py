"""The lab's image registry: a container the controller pushes to and the hosts pull from. Knows no
image by name.
"""

from __future__ import annotations

import http.client
import time

from verifier.errors import InfrastructureError
from verifier.lab.engine import LABEL, Docker
from verifier.lab.hosts import (
    LOOPBACK,
    NETWORK,
    HostState,
    container_state,
    ensure_volume,
    refuse_taken_ports,
)
from verifier.lab.images import PUSH_PORT, PUSH_TO, REGISTRY

CONTAINER = "verifier-lab-registry"
VOLUME = "verifier-lab-registry"
ALIAS = "registry"
READY_SECONDS = 30


def ensure_registry(docker: Docker) -> str:
    """Makes or starts the registry, and returns when it answers on loopback. Says what was done."""
    found = container_state(docker, CONTAINER)
    if found is HostState.RUNNING:
        done = "running"
    else:
        refuse_taken_ports(CONTAINER, [PUSH_PORT])
        ensure_volume(docker, VOLUME)
        done = "made" if found is HostState.ABSENT else "started"
        docker.run(*(run_arguments() if found is HostState.ABSENT else ("start", CONTAINER)))
    _wait_until_it_answers()
    return done


def run_arguments() -> tuple[str, ...]:
    return (
        "run",
        "--detach",
        *("--name", CONTAINER, "--hostname", ALIAS, "--label", LABEL),
        *("--network", NETWORK, "--network-alias", ALIAS),
        *("--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"),
        *("--volume", f"{VOLUME}:/var/lib/registry"),
        *("--publish", f"{LOOPBACK}:{PUSH_PORT}:5000"),
        REGISTRY,
    )


def _wait_until_it_answers() -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not _answers():
        if time.monotonic() > deadline:
            raise InfrastructureError(
                f"did not answer on {PUSH_TO} within {READY_SECONDS} s",
                where=CONTAINER,
                do=f"docker logs {CONTAINER}",
            )
        time.sleep(0.2)


def _answers() -> bool:
    connection = http.client.HTTPConnection(LOOPBACK, PUSH_PORT, timeout=5)
    try:
        connection.request("GET", "/v2/")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
