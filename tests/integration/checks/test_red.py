"""Every kind of check here is made green, broken for real and made green again, on a lab host or on
this machine. The scenarios are data: `<check>.yml` beside this file.

A scenario names where the check looks from (`host`): a lab host, `controller` for this machine, or `systemd` for a
container of the lab's image in which systemd runs. Scripts run there as root; `as: deploy` makes the look itself, on
a lab host, that of the ordinary user.
"""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pydantic
import pytest

from lab import ROOT
from verifier.checks.base import Check, Host, find_check
from verifier.document import read_document
from verifier.errors import CannotObserve
from verifier.inventory import Host as InventoryHost
from verifier.inventory import Inventory, Reach, load_inventory
from verifier.verify.connect import Connection, Connections

pytestmark = pytest.mark.lab

HERE = Path(__file__).parent
TIMEOUT_S = 120
_START_SYSTEMD = """
mount -o remount,bind,rw /sys/fs/cgroup && cd /sys/fs/cgroup || exit 1
[ -f cgroup.controllers ] || { mkdir -p systemd && mount -t cgroup -o none,name=systemd cgroup systemd; }
exec /lib/systemd/systemd
"""
# What an init system needs of Docker; as the lab's own hosts, never privileged.
SYSTEMD = (
    *("docker", "run", "--rm", "--detach", "--cap-add", "SYS_ADMIN", "--cgroupns", "private"),
    *("--security-opt", "apparmor=unconfined", "--security-opt", "seccomp=unconfined"),
    *("--tmpfs", "/run", "--tmpfs", "/tmp", "--env", "container=docker"),  # noqa: S108  inside it
    *("--env", "SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1", "--entrypoint", "sh"),
    *("verifier-lab/host:latest", "-c"),
    _START_SYSTEMD,
)


class Fault(pydantic.BaseModel):
    """One way to break what `prepare` made right; `error` when the check then cannot look."""

    model_config = pydantic.ConfigDict(extra="forbid")

    name: str
    break_: str = pydantic.Field(alias="break")
    undo: str
    says: str
    error: bool = False


class Scenario(pydantic.BaseModel):
    """One use of a check: what it is given, how that is made right, and every way to break it."""

    model_config = pydantic.ConfigDict(extra="forbid")

    host: str
    given: dict[str, object] = pydantic.Field(alias="with")
    user: Literal["deploy", "root"] = pydantic.Field(default="root", alias="as")
    prepare: str = "true"
    faults: list[Fault] = pydantic.Field(min_length=1)
    clean: str = "true"


SCENARIOS = {
    f"{file.stem}-{number}": (file.stem, scenario)
    for file in sorted(HERE.glob("*.yml"))
    for number, scenario in enumerate(read_document(file, list[Scenario]), 1)
}


@pytest.fixture(scope="module")
def connections() -> Iterator[Connections]:
    with Connections() as opened:
        yield opened


@pytest.fixture(scope="module")
def inventory(deployed: None) -> Inventory:
    del deployed  # some scenarios look at the databases and images of the applications
    return load_inventory("lab", project=ROOT)


@pytest.fixture(scope="module")
def systemd(lab_up: None) -> Iterator[InventoryHost]:
    """A container with systemd as its first process, which has come up as far as it ever will."""
    del lab_up
    started = subprocess.run(SYSTEMD, capture_output=True, text=True, check=True).stdout.strip()
    state = ["docker", "exec", started, "systemctl", "is-system-running"]
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        answer = subprocess.run(state, capture_output=True, text=True, check=False).stdout.strip()
        if answer in ("running", "degraded"):
            break
        time.sleep(0.5)
    yield InventoryHost("systemd", (), Reach("docker", started))
    subprocess.run(["docker", "rm", "--force", started], capture_output=True, check=True)


@pytest.mark.parametrize("case", SCENARIOS)
def test_a_real_fault_turns_the_check_red_and_its_undo_turns_it_green(
    case: str, connections: Connections, request: pytest.FixtureRequest
) -> None:
    name, scenario = SCENARIOS[case]
    check = find_check(name)
    want = check.read(scenario.given)
    connection = _connection(scenario.host, connections, request)
    is_lab_host = connection.host.reach.kind == "ssh"

    with _cleaned(connection, scenario, become=is_lab_host):
        _do(connection, scenario.prepare, become=is_lab_host)
        view, _ = connection.look(
            become=is_lab_host and scenario.user == "root", timeout_s=TIMEOUT_S
        )
        _passes(check, view, want, "before any fault")
        for fault in scenario.faults:
            _do(connection, fault.break_, become=is_lab_host)
            _is_red(check, view, want, fault)
            _do(connection, fault.undo, become=is_lab_host)
            _passes(check, view, want, f"after the undo of '{fault.name}'")


@pytest.mark.parametrize("name", sorted({name for name, _ in SCENARIOS.values()}))
def test_each_check_is_proven_by_three_faults_or_more(name: str) -> None:
    faults = [f for check, s in SCENARIOS.values() if check == name for f in s.faults]
    assert len([fault for fault in faults if not fault.error]) >= 3


def _connection(where: str, connections: Connections, request: pytest.FixtureRequest) -> Connection:
    if where == "controller":
        return connections.controller()
    if where == "systemd":
        return connections.open(request.getfixturevalue("systemd"))
    return connections.open(request.getfixturevalue("inventory").host(where))


@contextlib.contextmanager
def _cleaned(connection: Connection, scenario: Scenario, *, become: bool) -> Iterator[None]:
    try:
        yield
    finally:
        _do(connection, scenario.clean, become=become)


def _do(connection: Connection, script: str, *, become: bool) -> None:
    """A script that fails is a broken test, not a result."""
    view, _ = connection.look(become=become, timeout_s=TIMEOUT_S)
    done = view.run("sh -ec %s", script)
    assert done.rc == 0, f"{script}\n{done.stdout}{done.stderr}"


def _passes(check: Check[Any, Any], view: Host, want: Any, when: str) -> None:  # noqa: ANN401  any check's
    wrong = check.judge(want, check.observe(view, want))
    assert not wrong, f"{when}: " + "\n".join(map(str, wrong))


def _is_red(check: Check[Any, Any], view: Host, want: Any, fault: Fault) -> None:  # noqa: ANN401  any check's
    if fault.error:
        with pytest.raises(CannotObserve) as caught:
            check.observe(view, want)
        assert fault.says in str(caught.value), fault.name
        return
    wrong = check.judge(want, check.observe(view, want))
    said = "\n".join(map(str, wrong))
    assert fault.says in said, f"{fault.name}: {said or 'green'}"
