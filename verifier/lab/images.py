"""What the lab builds, and whether it is built already: an image carries the digest of everything
it was made from as a label, so that a second `up` builds nothing and a removed image is noticed.
Starts no container.
"""

from __future__ import annotations

import hashlib
import http.client
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pydantic

from verifier.document import Document, read_document
from verifier.errors import InfrastructureError
from verifier.lab.engine import BUILD_SECONDS, Docker, certificate_secret
from verifier.lab.project import Project

BASE = "verifier-lab/base:latest"
HOST = "verifier-lab/host:latest"
REGISTRY = "verifier-lab/registry:latest"
SERVICES = "verifier-lab/services:latest"
O4O_BUILDER = "verifier-lab/o4o-builder:latest"

UPSTREAM_BASE = "debian:trixie-slim"
PULL_SECONDS = 45

PUSH_PORT = 15000
PUSH_TO = f"127.0.0.1:{PUSH_PORT}"

# Not the label of the lab: containers inherit an image's labels, and `down` must not take one
# that somebody else made from one of these images.
STAMP = "verifier.lab.stamp"

_NOT_SOURCES = frozenset(
    {".git", ".mypy_cache", ".pytest_cache", ".ruff_cache", "__pycache__", "dist", "node_modules"}
)


@dataclass(frozen=True, slots=True)
class Image:
    """One `docker build`: a folder, the tag it makes, what it stands on, its build arguments."""

    name: str
    tag: str
    folder: Path
    stands_on: str = BASE
    arguments: tuple[tuple[str, str], ...] = ()
    dockerfile: str = "Dockerfile"


class Release(Document):
    """One image of the sample application; its file may say more than the lab needs."""

    model_config = pydantic.ConfigDict(extra="ignore", frozen=True, coerce_numbers_to_str=True)

    release: str
    schema_: str = pydantic.Field(alias="schema")
    defect: str = ""


class Releases(Document):
    model_config = pydantic.ConfigDict(extra="ignore", frozen=True)

    releases: tuple[Release, ...]


def host_image(project: Project) -> Image:
    return Image("host image", HOST, project.lab / "host", arguments=(("BASE", BASE),))


def registry_image(project: Project) -> Image:
    return Image("registry image", REGISTRY, project.lab / "registry", arguments=(("BASE", BASE),))


def services_image(project: Project) -> Image:
    return Image("services image", SERVICES, project.lab / "services", arguments=(("BASE", BASE),))


def database_images(project: Project) -> tuple[Image, ...]:
    """The databases, in the order in which they take longest."""
    return tuple(
        Image(
            f"{name} image",
            f"{PUSH_TO}/{name}:lab",
            project.lab / "images" / name,
            arguments=(("BASE", BASE),),
        )
        for name in ("postgres", "mariadb", "valkey")
    )


def application_images(project: Project) -> tuple[Image, ...]:
    """One image per release of filewallball. None where the checkout has no such application."""
    folder = project.lab / "apps" / "filewallball"
    if not (folder / "releases.yml").is_file():
        return ()
    listed = read_document(folder / "releases.yml", Releases).releases
    return tuple(_release_image(folder, release) for release in listed)


def builder_image(project: Project) -> Image | None:
    """Where o4o's artifact is made at deploy time: the host's own Node and pnpm, and the
    application's sources.
    """
    folder = project.lab / "apps" / "o4o"
    if not (folder / "Dockerfile.build").is_file():
        return None
    return Image(
        "o4o builder image",
        O4O_BUILDER,
        folder,
        stands_on=HOST,
        arguments=(("HOST_IMAGE", HOST),),
        dockerfile="Dockerfile.build",
    )


def ensure_base(docker: Docker, project: Project) -> str:
    """Debian from an image registry where one can be reached, else from the machine's apt source.
    Says which.
    """
    folder = project.lab / "base"
    stamp = digest_of(folder)
    if docker.label(BASE, STAMP) == stamp:
        return "up to date"
    label = f"{STAMP}={stamp}"
    if docker.ask("pull", "--quiet", UPSTREAM_BASE, seconds=PULL_SECONDS).code == 0:
        docker.build("--label", label, "--tag", BASE, "-", stdin=f"FROM {UPSTREAM_BASE}\n")
        return "pulled"
    _bootstrap(docker, folder / "bootstrap", label)
    return "made with mmdebstrap"


def ensure_image(docker: Docker, image: Image) -> str:
    """Builds the image unless the one that is there was made from the same things. Says what was
    done.
    """
    stamp = stamp_of(image, docker.image_id(image.stands_on))
    if docker.label(image.tag, STAMP) == stamp:
        return "up to date"
    docker.build(*build_arguments(image, stamp), *certificate_secret(), str(image.folder))
    return "built"


def ensure_pushed(docker: Docker, image: Image) -> str:
    """Pushes the image unless the registry's tag is the very same one. Says what was done."""
    repository, _, tag = image.tag.removeprefix(f"{PUSH_TO}/").rpartition(":")
    there = _digest_in_registry(repository, tag)
    here = docker.run("image", "inspect", "--format", '{{join .RepoDigests " "}}', image.tag)
    if there and f"{PUSH_TO}/{repository}@{there}" in here.split():
        return "up to date"
    docker.run("push", "--quiet", image.tag, seconds=BUILD_SECONDS)
    return "pushed"


def build_arguments(image: Image, stamp: str) -> tuple[str, ...]:
    arguments = [
        part for name, value in image.arguments for part in ("--build-arg", f"{name}={value}")
    ]
    return (
        "--file",
        str(image.folder / image.dockerfile),
        "--label",
        f"{STAMP}={stamp}",
        "--tag",
        image.tag,
        *arguments,
    )


def stamp_of(image: Image, foundation: str) -> str:
    """The digest of all an image is made from: its sources, its arguments, and the id of what it
    stands on.
    """
    parts = (digest_of(image.folder), image.dockerfile, repr(image.arguments), foundation)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def digest_of(folder: Path) -> str:
    """The digest of a folder's files: names, contents and whether they can be run; not times, not
    caches.
    """
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        if not path.is_file() or _NOT_SOURCES.intersection(relative.parts):
            continue
        executable = "x" if path.stat().st_mode & 0o100 else "-"
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{relative.as_posix()}\0{executable}\0{content}\n".encode())
    return digest.hexdigest()


def _release_image(folder: Path, release: Release) -> Image:
    return Image(
        f"filewallball {release.release}",
        f"{PUSH_TO}/filewallball:{release.release}",
        folder,
        arguments=(
            ("BASE", BASE),
            ("RELEASE", release.release),
            ("SCHEMA", release.schema_),
            ("DEFECT", release.defect),
        ),
    )


def _bootstrap(docker: Docker, script: Path, label: str) -> None:
    # `docker import` has no --label.
    changes = ["--change", f"LABEL {label}"]
    maker = subprocess.Popen([str(script)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    importer = subprocess.run(
        [docker.client, "import", *changes, "-", BASE],
        stdin=maker.stdout,
        check=False,
        capture_output=True,
    )
    complaint = maker.stderr.read().decode(errors="replace") if maker.stderr else ""
    if maker.wait() != 0 or importer.returncode != 0:
        # A tar that was cut short may still have been imported.
        docker.ask("image", "rm", BASE)
        last = (complaint.strip().splitlines() or [importer.stderr.decode(errors="replace")])[-1]
        raise InfrastructureError(
            f"no base image: {UPSTREAM_BASE} cannot be pulled, and mmdebstrap failed: {last}",
            where=str(script),
            do="give the engine a network, or install mmdebstrap and run as root",
        )


def _digest_in_registry(repository: str, tag: str) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", PUSH_PORT, timeout=10)
    accept = {"Accept": "application/vnd.docker.distribution.manifest.v2+json"}
    try:
        connection.request("HEAD", f"/v2/{repository}/manifests/{tag}", headers=accept)
        return connection.getresponse().headers.get("Docker-Content-Digest", "")
    except (OSError, http.client.HTTPException) as error:
        raise InfrastructureError(
            f"the lab's registry does not answer: {error}", where=PUSH_TO, do="verifier lab up"
        ) from error
    finally:
        connection.close()
