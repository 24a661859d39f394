"""One connection per host, opened from the facts Ansible uses and shared by every check of the run.
The only import of testinfra: a check gets a testinfra host and never learns how it is reached. A
connection that cannot be opened, or that breaks, is `Unreachable` or `CannotObserve`, never an
answer.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import select
import shlex
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self

import testinfra.backend.base
import testinfra.host

from verifier.checks import base
from verifier.errors import CannotObserve, InfrastructureError, Unreachable
from verifier.inventory import Host, Reach

CONNECT_TIMEOUT_S = 10
COMMAND_TIMEOUT_S = 60.0
SESSIONS_PER_HOST = (
    6  # below sshd's default MaxSessions of 10, so that Ansible and people still get in
)
CAPTURE_BYTES = 4 * 1024 * 1024  # kept of one stream; more is cut in the middle and said so


@dataclass(frozen=True, slots=True)
class Transcript:
    """One command as it was run: words, exit status, output. Raw; redact before storing."""

    command: str
    rc: int
    stdout: str
    stderr: str
    duration_s: float


class Shell(Protocol):
    """The seam below every look: runs one shell command line on one host and says how it ended."""

    def __call__(
        self, command: str, timeout_s: float, stdin: bytes
    ) -> tuple[int, bytes, bytes]: ...


class Connection:
    """An open way to one host. `look()` gives a testinfra host whose commands are recorded for
    evidence.
    """

    def __init__(self, host: Host, shell: Shell) -> None:
        self.host = host
        self._shell = shell
        self._sessions = threading.Semaphore(SESSIONS_PER_HOST)

    def look(
        self, *, become: bool = False, timeout_s: float = COMMAND_TIMEOUT_S, inside: str = ""
    ) -> tuple[base.Host, list[Transcript]]:
        """A testinfra host and the list its commands will be recorded in. `inside` is the id of a
        container of the host whose shell runs them.
        """
        transcripts: list[Transcript] = []
        backend = _Recorder(
            self._run, self.host, become=become, timeout_s=timeout_s, log=transcripts
        )
        backend.inside = inside
        return testinfra.host.Host(backend), transcripts

    def _run(self, command: str, timeout_s: float, stdin: bytes) -> tuple[int, bytes, bytes]:
        with self._sessions:
            return self._shell(command, timeout_s, stdin)


class Connections:
    """The connections of one run, and the private folder their sockets live in. Use as a context
    manager.
    """

    def __init__(self) -> None:
        # Short on purpose: a Unix socket's path may not exceed 104 bytes everywhere.
        self.folder = Path(tempfile.mkdtemp(prefix="verifier-"))
        self.ssh_config = self.folder / "ssh_config"
        self.ssh_config.touch(mode=0o600)
        self._lock = threading.Lock()
        self._opened: dict[str, Connection | Unreachable] = {}
        self._doors: dict[str, threading.Lock] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for name, opened in self._opened.items():
            if isinstance(opened, Connection) and opened.host.reach.kind == "ssh":
                with contextlib.suppress(subprocess.SubprocessError, OSError):
                    subprocess.run(
                        ["ssh", "-F", str(self.ssh_config), "-O", "exit", name],
                        capture_output=True,
                        check=False,
                        timeout=CONNECT_TIMEOUT_S,
                    )
        shutil.rmtree(self.folder, ignore_errors=True)

    def open(self, host: Host) -> Connection:
        """The open connection to `host`. Raises Unreachable; asking again costs nothing and raises
        the same.
        """
        with self._lock:
            door = self._doors.setdefault(host.name, threading.Lock())
        with door:
            if host.name not in self._opened:
                try:
                    self._opened[host.name] = Connection(host, self._shell_for(host))
                except Unreachable as error:
                    self._opened[host.name] = error
        opened = self._opened[host.name]
        if isinstance(opened, Unreachable):
            raise opened
        return opened

    def controller(self) -> Connection:
        """The machine verifier runs on, for looks from where a user of the service stands."""
        return self.open(Host("controller", (), Reach("local", "localhost")))

    def _shell_for(self, host: Host) -> Shell:
        if host.reach.kind == "local":
            return _LocalShell(["/bin/sh", "-c"])
        if host.reach.kind == "docker":
            user = ["--user", host.reach.user] if host.reach.user else []
            words = ["docker", "exec", "-i", *user, host.reach.address, "/bin/sh", "-c"]
            shell = _LocalShell(words)
            code, _, stderr = shell("true", CONNECT_TIMEOUT_S, b"")
            if code != 0:
                raise Unreachable(
                    f"container does not answer: {_last_line(stderr)}", where=host.name
                )
            return shell
        with self._lock, self.ssh_config.open("a") as config:
            config.write(_config_block(host, self.folder))
        return _open_ssh(host.name, self.ssh_config)


class _Recorder(testinfra.backend.base.BaseBackend):  # type: ignore[misc]  # testinfra is untyped
    """testinfra's backend over our shell: bounded in time and size, every command recorded."""

    NAME = "verifier"

    def __init__(
        self, run: Shell, host: Host, *, become: bool, timeout_s: float, log: list[Transcript]
    ) -> None:
        super().__init__(host.name)
        self._shell, self._reach, self._become = run, host.reach, become
        self._timeout_s, self._log = timeout_s, log
        self._encoding = "utf-8"
        self.inside = ""

    def run(self, command: str, *args: str, **_: object) -> Any:  # noqa: ANN401  testinfra's result type
        line = self.quote(command, *args)
        if self.inside:
            line = f"docker exec -i {self.inside} /bin/sh -c {shlex.quote(line)}"
        began = time.monotonic()
        # What the other user's shell says first: without it sudo never let the command run.
        mark = secrets.token_hex(8)
        words, stdin = _as_other_user(line, self._reach, mark) if self._become else (line, b"")
        code, out, err = self._shell(words, self._timeout_s, stdin)
        stdout, stderr = _text(out), _text(err)
        refusal, became, rest = stderr.partition(f"{mark}\n")
        stderr = rest if became else stderr
        self._log.append(Transcript(line, code, stdout, stderr, round(time.monotonic() - began, 4)))
        if self._become and not became:
            raise CannotObserve(f"become failed: {_last_line(refusal.encode()) or 'no reason'}")
        return self.result(code, line.encode(), stdout.encode(), stderr.encode())


def _as_other_user(line: str, reach: Reach, mark: str) -> tuple[str, bytes]:
    user = shlex.quote(reach.become_user)
    if reach.password:
        # Through stdin: a password on a command line is visible to every user of the host. When sudo does not ask,
        # it would be the command's input.
        words = shlex.quote(f"exec </dev/null; echo {mark} >&2; {line}")
        return f"sudo -S -p '' -u {user} -- /bin/sh -c {words}", f"{reach.password}\n".encode()
    words = shlex.quote(f"echo {mark} >&2; {line}")
    return f"sudo -n -u {user} -- /bin/sh -c {words}", b""


class _LocalShell:
    def __init__(self, words: list[str]) -> None:
        self._words = words

    def __call__(self, command: str, timeout_s: float, stdin: bytes) -> tuple[int, bytes, bytes]:
        return _run_bounded([*self._words, command], timeout_s, stdin)


class _SshShell:
    """Commands over one multiplexed ssh connection. A nonce after each tells a broken line from an
    exit 255.
    """

    def __init__(self, name: str, config: Path) -> None:
        self._name, self._config = name, config

    def __call__(self, command: str, timeout_s: float, stdin: bytes) -> tuple[int, bytes, bytes]:
        nonce = secrets.token_hex(8)
        wrapped = f"/bin/sh -c {shlex.quote(command)}; echo {nonce} $? >&2"
        words = ["ssh", "-F", str(self._config), "-T", self._name, wrapped]
        code, out, err = _run_bounded(words, timeout_s, stdin)
        said, _, tail = err.rpartition(nonce.encode())
        if not tail.strip().isdigit():
            raise CannotObserve(f"the connection broke (ssh {code}): {_last_line(err)}")
        return int(tail), out, said


def _open_ssh(name: str, config: Path) -> Shell:
    words = [
        "ssh",
        "-F",
        str(config),
        "-o",
        "ControlMaster=yes",
        "-o",
        "ControlPersist=600",
        "-fN",
        name,
    ]
    try:
        # stderr goes to a file: the master stays behind and would keep a pipe open for as long as it lives
        with tempfile.TemporaryFile(dir=config.parent) as complaints:
            done = subprocess.run(
                words,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=complaints,
                check=False,
                timeout=CONNECT_TIMEOUT_S * 2,
            )
            complaints.seek(0)
            said = complaints.read()
    except FileNotFoundError as error:
        raise InfrastructureError(
            "ssh is not installed", do="apt-get install openssh-client"
        ) from error
    except subprocess.TimeoutExpired as error:
        raise Unreachable(f"no answer in {CONNECT_TIMEOUT_S * 2} s", where=name) from error
    if done.returncode != 0:
        raise Unreachable(_why_unreachable(said), where=name)
    return _SshShell(name, config)


def _why_unreachable(stderr: bytes) -> str:
    text = _text(stderr)
    if "REMOTE HOST IDENTIFICATION HAS CHANGED" in text or "Host key verification failed" in text:
        return "the host key is not the pinned one"
    if "Permission denied" in text:
        return "the host refuses the key"
    return _last_line(stderr) or "ssh could not connect"


# What `ssh -G` prints of the user's ssh arguments that decides how a host is reached.
_KEPT = frozenset(
    {
        "hostname",
        "port",
        "user",
        "identityfile",
        "identitiesonly",
        "identityagent",
        "certificatefile",
        "proxyjump",
        "proxycommand",
        "userknownhostsfile",
        "globalknownhostsfile",
        "stricthostkeychecking",
        "hostkeyalias",
        "bindaddress",
        "ciphers",
        "macs",
        "kexalgorithms",
        "hostkeyalgorithms",
        "pubkeyacceptedalgorithms",
        "addressfamily",
        "checkhostip",
    }
)


def _config_block(host: Host, folder: Path) -> str:
    reach = host.reach
    words = ["-p", str(reach.port)]
    words += ["-l", reach.user] if reach.user else []
    words += _only_this_key(host) if reach.key_file else []
    # Host keys are pinned: unless the inventory says so, an unknown or changed key is refused, never asked about.
    words += [*reach.ssh_args, "-o", "StrictHostKeyChecking=yes", reach.address]
    return "\n".join(_blocks(host.name, host, words, folder)) + "\n"


def _blocks(name: str, host: Host, words: list[str], folder: Path) -> list[str]:
    """The block called `name`, and below it one for each jump host on its way."""
    lines, below = [f"Host {name}"], []
    for key, said in _as_ssh_reads(words, host):
        value = f'"{said}"' if key in ("identityfile", "certificatefile") else said
        if key == "proxyjump":
            # As in ssh itself: a jump host is reached with what the user's configuration says of it, none of `words`.
            hops = {f"{name}-jump{n}": hop for n, hop in enumerate(said.split(","), 1)}
            for alias, hop in hops.items():
                hop_words = [*_configuration_in(host.reach.ssh_args), f"ssh://{hop}"]
                below += _blocks(alias, host, hop_words, folder)
            value = ",".join(hops)
        lines.append(f"  {key} {value}")
    lines += [
        "  BatchMode yes",
        f"  ConnectTimeout {CONNECT_TIMEOUT_S}",
        "  ServerAliveInterval 15",
        "  ServerAliveCountMax 3",
        "  ForwardAgent no",
        f"  ControlPath {folder}/%C",
    ]
    return lines + below


def _as_ssh_reads(words: list[str], host: Host) -> Iterator[tuple[str, str]]:
    done = subprocess.run(
        ["ssh", "-G", "-o", "BatchMode=yes", *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=CONNECT_TIMEOUT_S,
    )
    if done.returncode != 0:
        raise Unreachable(
            f"ssh arguments are not understood: {done.stderr.strip()[:200]}", where=host.name
        )
    for line in done.stdout.splitlines():
        key, _, value = line.partition(" ")
        if key in _KEPT and value and value != "none":
            yield key, value


def _configuration_in(ssh_args: tuple[str, ...]) -> list[str]:
    for position, word in enumerate(ssh_args):
        if word.startswith("-F"):
            return list(ssh_args[position : position + (2 if word == "-F" else 1)])
    return []


def _only_this_key(host: Host) -> list[str]:
    # ssh would go on with the user's other keys, and say no more than that the host refuses them.
    if not Path(host.reach.key_file).expanduser().is_file():
        raise Unreachable(f"there is no key file {host.reach.key_file}", where=host.name)
    return ["-o", f'IdentityFile="{host.reach.key_file}"', "-o", "IdentitiesOnly=yes"]


def _run_bounded(words: list[str], timeout_s: float, stdin: bytes) -> tuple[int, bytes, bytes]:
    try:
        process = subprocess.Popen(
            words,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        raise CannotObserve(f"`{words[0]}` cannot be started: {error.strerror}") from error
    with process:
        readers = [_Reader(process.stdout), _Reader(process.stderr)]
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(stdin)  # type: ignore[union-attr]  # a pipe, see above
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()  # type: ignore[union-attr]
        try:
            code = process.wait(timeout_s)
        except subprocess.TimeoutExpired as error:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, 9)
            # The ssh master was given these pipes, too, and holds them for as long as the command runs over there.
            for reader in readers:
                reader.give_up()
            raise CannotObserve(f"no answer in {timeout_s:g} s: `{words[-1][:120]}`") from error
        out, err = (reader.text() for reader in readers)
    return code, out, err


class _Reader(threading.Thread):
    """Reads one stream to its end but keeps only its head and tail, so that no output can fill the
    memory.
    """

    def __init__(self, stream: Any) -> None:  # noqa: ANN401  a pipe
        super().__init__(daemon=True)
        self._stream, self._head, self._tail, self._total = stream, bytearray(), bytearray(), 0
        self._unwanted = threading.Event()
        self.start()

    def run(self) -> None:
        pipe = self._stream.fileno()
        poll = select.poll()
        poll.register(pipe, select.POLLIN)
        while not self._unwanted.is_set():
            if poll.poll(100):
                chunk = os.read(pipe, 65536)
                if not chunk:
                    return
                self._keep(chunk)

    def _keep(self, chunk: bytes) -> None:
        half = CAPTURE_BYTES // 2
        self._total += len(chunk)
        room = max(half - len(self._head), 0)
        self._head += chunk[:room]
        self._tail += chunk[room:]
        del self._tail[:-half]

    def give_up(self) -> None:
        """Ends the reading before the stream has ended; without it closing the stream would wait."""
        self._unwanted.set()
        self.join()

    def text(self) -> bytes:
        self.join(timeout=2)  # something left behind may hold the pipe
        self.give_up()
        cut = self._total - len(self._head) - len(self._tail)
        middle = f"\n[... {cut} bytes cut ...]\n".encode() if cut > 0 else b""
        return bytes(self._head) + middle + bytes(self._tail)


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def _last_line(raw: bytes) -> str:
    lines = [line.strip() for line in _text(raw).splitlines() if line.strip()]
    return lines[-1][:300] if lines else ""
