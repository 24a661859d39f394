"""The one door to Docker: the command line client, called with argument lists. Says what Docker
answered; knows nothing of what the lab wants from it.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from verifier.errors import InfrastructureError

LABEL = "verifier.lab=1"
CA_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")

QUICK_SECONDS = 60
BUILD_SECONDS = 1800


@dataclass(frozen=True, slots=True)
class Answer:
    """What a client call ended with. A code other than 0 is an answer, not an error: `Docker.run`
    judges it.
    """

    code: int
    out: str
    err: str


@dataclass(frozen=True, slots=True)
class Docker:
    """`client` for everyday calls, `builder` for builds: a client without its buildx plugin cannot
    build.
    """

    client: str
    builder: str

    def ask(self, *args: str, stdin: str | None = None, seconds: float = QUICK_SECONDS) -> Answer:
        """One call whose failure the caller wants to look at."""
        return _call((self.client, *args), stdin=stdin, seconds=seconds)

    def run(self, *args: str, stdin: str | None = None, seconds: float = QUICK_SECONDS) -> str:
        """One call that must succeed; what it printed. Raises InfrastructureError with Docker's
        last line.
        """
        answer = self.ask(*args, stdin=stdin, seconds=seconds)
        if answer.code != 0:
            raise InfrastructureError(
                f"docker {args[0]} failed: {_last_line(answer.err)}", where=_subject(args)
            )
        return answer.out.strip()

    def build(self, *args: str, stdin: str | None = None) -> None:
        """`docker build` with BuildKit. Raises InfrastructureError with the end of its log."""
        argv = ("env", "DOCKER_BUILDKIT=1", self.builder, "build", "--progress=plain", *args)
        answer = _call(argv, stdin=stdin, seconds=BUILD_SECONDS)
        if answer.code != 0:
            tail = "\n".join(answer.err.strip().splitlines()[-15:])
            raise InfrastructureError(
                f"docker build failed:\n{tail}", where=_tag(args), do="the lines above say why"
            )

    def label(self, image: str, name: str) -> str | None:
        """The image's label, "" if it has none, None if there is no such image."""
        answer = self.ask(
            "image", "inspect", "--format", f'{{{{index .Config.Labels "{name}"}}}}', image
        )
        # An image without any labels prints Go's own word for nothing.
        return answer.out.strip().replace("<no value>", "") if answer.code == 0 else None

    def image_id(self, image: str) -> str:
        """The image's id, "" if there is none."""
        answer = self.ask("image", "inspect", "--format", "{{.Id}}", image)
        return answer.out.strip() if answer.code == 0 else ""


def ensure_engine(script: Path) -> None:
    """Runs `lab/engine ensure`; what it says goes to stderr. Raises InfrastructureError."""
    done = subprocess.run([str(script), "ensure"], check=False, stdout=subprocess.DEVNULL)
    if done.returncode != 0:
        raise InfrastructureError(
            "there is no Docker engine to run the lab on",
            where=str(script),
            do="see the line above",
        )


def find_docker(search_path: str) -> Docker:
    """The first client on `search_path`, and the first that can build with BuildKit. Raises
    InfrastructureError.
    """
    folders = dict.fromkeys(Path(folder) for folder in search_path.split(":") if folder)
    clients = [str(folder / "docker") for folder in folders if (folder / "docker").is_file()]
    if not clients:
        raise InfrastructureError("no docker client on PATH", do="install Docker")
    for client in clients:
        if _can_build(client):
            return Docker(clients[0], client)
    raise InfrastructureError(
        "docker cannot build with BuildKit",
        where=", ".join(clients),
        do="install its buildx plugin (Debian: docker-buildx)",
    )


def engine_answers(docker: Docker) -> bool:
    return docker.ask("info", "--format", "{{.ServerVersion}}", seconds=20).code == 0


def certificate_secret() -> tuple[str, ...]:
    """The machine's certificate authorities as a build secret, for builds behind a proxy that signs
    with its own.
    """
    return ("--secret", f"id=ca,src={CA_BUNDLE}") if CA_BUNDLE.is_file() else ()


def _can_build(client: str) -> bool:
    return _call(("env", "DOCKER_BUILDKIT=1", client, "build", "--help"), seconds=20).code == 0


def _call(argv: tuple[str, ...], *, seconds: float, stdin: str | None = None) -> Answer:
    source = {"input": stdin} if stdin is not None else {"stdin": subprocess.DEVNULL}
    try:
        done = subprocess.run(
            argv, check=False, capture_output=True, text=True, timeout=seconds, **source
        )
    except subprocess.TimeoutExpired:
        return Answer(124, "", f"no answer in {seconds:.0f} s")
    except OSError as error:
        raise InfrastructureError(
            f"{argv[0]} cannot be run: {error.strerror}", do="install Docker"
        ) from error
    return Answer(done.returncode, done.stdout, done.stderr)


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["no message"])[-1]


def _subject(args: tuple[str, ...]) -> str:
    return next((arg for arg in reversed(args) if arg.startswith(("verifier-lab", "127."))), "")


def _tag(args: tuple[str, ...]) -> str:
    return args[args.index("--tag") + 1] if "--tag" in args else ""
