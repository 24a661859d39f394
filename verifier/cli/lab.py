"""`verifier lab`: throw-away hosts on this machine. Parses, calls one verb of the lab, shows its
value.
"""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from verifier.errors import InfrastructureError
from verifier.lab.engine import Docker, engine_answers, ensure_engine, find_docker
from verifier.lab.hosts import HostState, HostStatus, as_json, as_text
from verifier.lab.lifecycle import Lab, Progress, bring_up, look, take_down
from verifier.lab.lifecycle import reset as reset_lab
from verifier.lab.project import find_project
from verifier.lab.services import as_line, services_state
from verifier.lab.state import LabState, locked, open_state

app = typer.Typer(
    no_args_is_help=True, help="Throw-away hosts on this machine to try deployments on."
)

NOT_ALL_RUN = 3


class Format(StrEnum):
    TEXT = "text"
    JSON = "json"


@app.command()
def up() -> None:
    """Start the lab, building what is missing. A second call changes nothing."""
    with locked(_state_root()):
        lab = _open_lab()
        _show(bring_up(lab), services_state(lab.docker), Format.TEXT)


@app.command()
def status(
    output: Annotated[Format, typer.Option("--format", help="text or json.")] = Format.TEXT,
) -> None:
    """Show the hosts and the services around them. Ends with 3 unless all of them run."""
    docker = _docker()
    statuses, services = look(docker), services_state(docker)
    _show(statuses, services, output)
    if {services, *(status.state for status in statuses)} != {HostState.RUNNING}:
        raise typer.Exit(NOT_ALL_RUN)


@app.command()
def reset() -> None:
    """Make the hosts and the services fresh again; images and secrets stay."""
    with locked(_state_root()):
        lab = _open_lab()
        _show(reset_lab(lab), services_state(lab.docker), Format.TEXT)


@app.command()
def down(
    *,
    everything: Annotated[
        bool, typer.Option("--all", help="Also remove images, the registry's data and the state.")
    ] = False,
) -> None:
    """Remove the hosts, the services, the registry and their network."""
    with locked(_state_root()):
        take_down(_docker(), LabState(_state_root()), _report, everything=everything)


def _open_lab() -> Lab:
    project = find_project(Path.cwd())
    ensure_engine(project.lab / "engine")
    docker = find_docker(_search_path())
    return Lab(docker, project, open_state(_state_root()), _report)


def _docker() -> Docker:
    docker = find_docker(_search_path())
    if not engine_answers(docker):
        raise InfrastructureError(
            "the Docker engine does not answer", do="start it: lab/engine ensure"
        )
    return docker


def _state_root() -> Path:
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(home) / "verifier" / "lab"


def _search_path() -> str:
    return os.environ.get("PATH", os.defpath)


def _show(statuses: tuple[HostStatus, ...], services: HostState, output: Format) -> None:
    if output is Format.JSON:
        typer.echo(as_json(statuses))
    else:
        typer.echo(f"{as_text(statuses)}\n{as_line(services)}")


def _report(progress: Progress) -> None:
    line = f"{progress.seconds:6.1f} s  {progress.step}: {progress.done}"
    typer.echo(line, err=True)
