"""What stands around the hosts, in one container: a mail server, a Prometheus that watches them, and
the tracker their errors and timings go to. Knows where each answers; what is asked of them is the
checklist's business.
"""

from __future__ import annotations

import hashlib
import http.client
import smtplib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from verifier.errors import InfrastructureError
from verifier.lab import certificates
from verifier.lab.engine import LABEL, Docker
from verifier.lab.hosts import (
    HOSTS,
    LOOPBACK,
    NETWORK,
    HostState,
    container_state,
    refuse_taken_ports,
)
from verifier.lab.images import SERVICES
from verifier.lab.state import LabState

CONTAINER = "verifier-lab-services"
ALIAS = "services"
MAIL = "mail.lab"
MAIL_USER = "o4o@mail.lab"
TRACKER = "tracker.lab"
PORTS = {"mail": (587, 15870), "tracker": (8090, 18090), "Prometheus": (9090, 19090)}
# The tracker's projects, and the secret that is the key of each.
PROJECTS = {"1": "vault_o4o_error_tracking_key", "2": "vault_o4o_apm_key"}
AUTHORITY = "/usr/local/share/ca-certificates/verifier-lab.crt"

CONFIG_LABEL = "verifier.lab.config"
READY_SECONDS = 30


@dataclass(frozen=True, slots=True)
class File:
    """A file the container is given: name below /etc/lab, and what is in it. All are private."""

    name: str
    text: str


def ensure_services(docker: Docker, state: LabState, secrets: Mapping[str, str]) -> str:
    """Makes or starts the container, makes it anew when its image or its secrets changed, and
    returns when all three answer. Says what was done.
    """
    certificates.ensure_certificate(state, MAIL)
    files = given_files(state, secrets)
    wanted = fingerprint_of(files, docker.image_id(SERVICES))
    found = container_state(docker, CONTAINER)
    done = "running"
    if found is not HostState.ABSENT and _label(docker) != wanted:
        remove_services(docker)
        found = HostState.ABSENT
    if found is not HostState.RUNNING:
        refuse_taken_ports(CONTAINER, [outside for _, outside in PORTS.values()])
        done = "made" if found is HostState.ABSENT else "started"
        docker.run(*(run_arguments(wanted) if done == "made" else ("start", CONTAINER)))
    # Not only when it was made: whoever made it may have been stopped before he came this far.
    if docker.ask("exec", CONTAINER, "test", "-e", "/etc/lab/ready").code != 0:
        _hand_over(docker, files)
    _wait_until_all_answer()
    return done


def trust_authority(docker: Docker, state: LabState) -> str:
    """Puts the certificate of the lab's authority on every host, where a check can be told of it."""
    script = f"cat >{AUTHORITY}.new && chmod 0644 {AUTHORITY}.new && mv {AUTHORITY}.new {AUTHORITY}"
    text = state.ca_certificate.read_text(encoding="utf-8")
    for host in HOSTS:
        docker.run("exec", "--interactive", host.container, "sh", "-c", script, stdin=text)
    return AUTHORITY


def services_state(docker: Docker) -> HostState:
    return container_state(docker, CONTAINER)


def as_line(state: HostState) -> str:
    """What stands below the table of hosts."""
    where = ", ".join(f"{name} {LOOPBACK}:{outside}" for name, (_, outside) in PORTS.items())
    return f"services  {state.value}  {CONTAINER}  {where}"


def remove_services(docker: Docker) -> None:
    """Nothing happens if it is gone already. What it kept goes with it."""
    docker.ask("rm", "--force", "--volumes", CONTAINER)


def given_files(state: LabState, secrets: Mapping[str, str]) -> tuple[File, ...]:
    """What the container's start script waits for."""
    keys = "".join(f"{project} {secrets[name]}\n" for project, name in PROJECTS.items())
    return (
        File("mail-user", MAIL_USER),
        File("mail-password", secrets["vault_o4o_smtp_password"] + "\n"),
        File("mail.crt", certificates.certificate(state, MAIL).read_text(encoding="utf-8")),
        File("mail.key", certificates.key(state, MAIL).read_text(encoding="utf-8")),
        File("tracker-keys", keys),
        File("ready", "\n"),
    )


def fingerprint_of(files: tuple[File, ...], image: str) -> str:
    """Changes with everything the container is made from, and shows none of it."""
    return hashlib.sha256(repr((files, image, run_arguments(""))).encode()).hexdigest()[:16]


def run_arguments(fingerprint: str) -> tuple[str, ...]:
    # What smtpd needs to become its own users and to keep mail as another; the rest does with less.
    kept = ("CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "SETGID", "SETUID", "SYS_CHROOT")
    return (
        *("run", "--detach", "--name", CONTAINER, "--hostname", ALIAS),
        *("--label", LABEL, "--label", f"{CONFIG_LABEL}={fingerprint}"),
        *("--network", NETWORK),
        *(part for name in (ALIAS, MAIL, TRACKER) for part in ("--network-alias", name)),
        *("--cap-drop", "ALL"),
        *(part for name in kept for part in ("--cap-add", name)),
        # Not no-new-privileges: the mail server's control program is setgid.
        *("--memory", "384m"),
        *(
            part
            for inside, outside in PORTS.values()
            for part in ("--publish", f"{LOOPBACK}:{outside}:{inside}")
        ),
        SERVICES,
    )


def _label(docker: Docker) -> str:
    template = f'{{{{index .Config.Labels "{CONFIG_LABEL}"}}}}'
    return docker.run("container", "inspect", "--format", template, CONTAINER)


def _hand_over(docker: Docker, files: tuple[File, ...]) -> None:
    """Through standard input: a secret among the arguments could be read by everybody."""
    for file in files:
        script = f"umask 077; cat >/etc/lab/{file.name}"
        docker.run("exec", "--interactive", CONTAINER, "sh", "-c", script, stdin=file.text)


def _wait_until_all_answer() -> None:
    answers: dict[str, Callable[[], bool]] = {
        "mail": _mail_answers,
        "tracker": lambda: _answers("tracker", "/api/1/events/"),
        "Prometheus": lambda: _answers("Prometheus", "/-/ready"),
    }
    deadline = time.monotonic() + READY_SECONDS
    for name, answered in answers.items():
        while not answered():
            if time.monotonic() > deadline:
                raise InfrastructureError(
                    f"{name} did not answer on {LOOPBACK}:{PORTS[name][1]} within {READY_SECONDS} s",
                    where=CONTAINER,
                    do=f"docker exec {CONTAINER} tail /var/log/{name.lower()}.log",
                )
            time.sleep(0.2)


def _mail_answers() -> bool:
    try:
        with smtplib.SMTP(LOOPBACK, PORTS["mail"][1], timeout=5) as server:
            return server.noop()[0] == 250  # noqa: PLR2004  SMTP's word for well
    except (OSError, smtplib.SMTPException):
        return False


def _answers(name: str, path: str) -> bool:
    connection = http.client.HTTPConnection(LOOPBACK, PORTS[name][1], timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
