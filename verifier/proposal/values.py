"""The kinds of values that proposals wait for: what each is, in words to ask a person with, and
whether one answer serves every line that waits for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from verifier.checklist.binding import is_empty
from verifier.document import parse_yaml, read_text
from verifier.errors import DocumentError


@dataclass(frozen=True, slots=True)
class Kind:
    """`shared`: asked once, for all lines. A value that differs from line to line is filled in at
    each of them.
    """

    words: str
    shared: bool = True


KINDS: Mapping[str, Kind] = {
    "base_url": Kind("where users reach the service, such as https://app.company.tld"),
    "domain": Kind("the host name users see, such as app.company.tld"),
    "deploy_root": Kind("the application's folder on the hosts"),
    "env_file": Kind("the environment file, as a path below deploy_root"),
    "compose_stack": Kind("the compose project: {project, directory, files, env_file}"),
    "dsn": Kind("where the database runs: {engine: mariadb|postgresql, project, service}"),
    "pool_database": Kind(
        "the database whose connections count: {engine, name, user, container: {project, service}}"
    ),
    "metrics_url": Kind("the address that answers in Prometheus' format"),
    "log_source": Kind("the compose services whose logs are read, as a list"),
    "origins": Kind("the origins that may call the service, as a list"),
    "open_ports": Kind(
        "what may listen on the host, as a list of {number: 22}: see `listening_ports`"
    ),
    "published_ports": Kind('the ports that compose publishes, as a list: ["0.0.0.0:8000"]'),
    "firewall_ports": Kind('the ports that the firewall lets in, as a list: ["22/tcp"]'),
    "backup_path": Kind("the folder the backups lie in, on the host"),
    "container": Kind("the compose service that the application is"),
    "limit": Kind("how many requests are let through, as a number"),
    "privileges": Kind("the database rights the application needs, as a list"),
    "pm2_app": Kind("the application's name in PM2"),
    "instances": Kind("how many processes PM2 keeps"),
    "data_paths": Kind("the data of each service: {service: /path/in/container}"),
    "load_profile": Kind("requests in a second under load, as a number"),
    "token_path": Kind("the route that hands out the CSRF token"),
    "smtp_host": Kind("the mail server's host name"),
    "threshold": Kind("the limit, as a number", shared=False),
    "path": Kind("the path or route this line is about", shared=False),
    "keys": Kind("the names of the settings, as a list", shared=False),
    "key": Kind("the name of the setting", shared=False),
    "command": Kind("the command, as a list of words", shared=False),
    "expected_value": Kind("the value it should have", shared=False),
    "tables": Kind("the tables, as a list", shared=False),
    "indexes": Kind("the indexes: {name: table}", shared=False),
    "query": Kind("a SELECT whose answer tells", shared=False),
    "port": Kind("the number of the port", shared=False),
    "service": Kind("the name of the service", shared=False),
    "tag": Kind("the image, as name:tag", shared=False),
}


def is_shared(name: str) -> bool:
    return name in KINDS and KINDS[name].shared


@dataclass(frozen=True, slots=True)
class Values:
    """What a person gave: `shared` for all lines, `lines` for single ones, by id or line number."""

    shared: Mapping[str, object]
    lines: Mapping[str, Mapping[str, object]]

    def of(self, item: str, number: int) -> Mapping[str, object]:
        """What was given for one line."""
        return {**self.lines.get(str(number), {}), **self.lines.get(item, {})}


NO_VALUES = Values({}, {})


def read_values(path: Path) -> Values:
    """A values file: names and values, and under `lines` those of single lines. DocumentError with
    file and line for one that is none.
    """
    data = parse_yaml(read_text(path), where=str(path))
    if data is None:
        return NO_VALUES
    if not isinstance(data, dict):
        raise DocumentError("is no mapping of names to values", where=str(path))
    lines = data.pop("lines", None) or {}
    if not isinstance(lines, dict) or not all(isinstance(v, dict) for v in lines.values()):
        raise DocumentError(
            "lines: wants a mapping from a line's id or number to its values", where=str(path)
        )
    shared = {str(name): value for name, value in data.items() if not is_empty(value)}
    return Values(shared, {str(name): given for name, given in lines.items()})
