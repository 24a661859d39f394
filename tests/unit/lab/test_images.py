from __future__ import annotations

from pathlib import Path

import pytest

from verifier.errors import DocumentError
from verifier.lab.images import (
    Image,
    application_images,
    build_arguments,
    builder_image,
    digest_of,
    stamp_of,
)
from verifier.lab.project import Project


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "source"
    made.mkdir()
    (made / "Dockerfile").write_text("FROM x\n")
    return made


def test_a_digest_follows_content_names_and_the_executable_bit(folder: Path) -> None:
    digests = [digest_of(folder)]
    (folder / "Dockerfile").write_text("FROM y\n")
    digests.append(digest_of(folder))
    (folder / "Dockerfile").chmod(0o755)
    digests.append(digest_of(folder))
    (folder / "Dockerfile").rename(folder / "Dockerfile.build")
    digests.append(digest_of(folder))
    assert len(set(digests)) == len(digests)


def test_a_digest_ignores_caches_and_times(folder: Path) -> None:
    before = digest_of(folder)
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "a.pyc").write_bytes(b"x")
    (folder / "Dockerfile").touch()
    assert digest_of(folder) == before


def test_a_stamp_follows_arguments_and_the_image_below(folder: Path) -> None:
    plain = Image("a", "t", folder)
    other = Image("a", "t", folder, arguments=(("RELEASE", "2"),))
    assert len({stamp_of(plain, "b1"), stamp_of(plain, "b2"), stamp_of(other, "b1")}) == 3


def test_a_build_names_its_file_stamp_tag_and_arguments(folder: Path) -> None:
    image = Image("a", "verifier-lab/a:latest", folder, arguments=(("DEFECT", ""),))
    assert build_arguments(image, "abc") == (
        *("--file", str(folder / "Dockerfile")),
        *("--label", "verifier.lab.stamp=abc"),
        *("--tag", "verifier-lab/a:latest", "--build-arg", "DEFECT="),
    )


def test_every_listed_release_is_an_image_in_the_registry(tmp_path: Path) -> None:
    folder = tmp_path / "lab" / "apps" / "filewallball"
    folder.mkdir(parents=True)
    (folder / "releases.yml").write_text(
        'releases:\n  - {release: "1", schema: 1, defect: ""}\n'
        '  - {release: "3-crash", schema: 2, defect: crash}\n'
    )
    first, second = application_images(Project(tmp_path))
    assert first.tag == "127.0.0.1:15000/filewallball:1"
    assert dict(second.arguments)["SCHEMA"] == "2"
    assert dict(second.arguments)["DEFECT"] == "crash"


def test_a_release_without_a_schema_is_refused_by_file_and_line(tmp_path: Path) -> None:
    folder = tmp_path / "lab" / "apps" / "filewallball"
    folder.mkdir(parents=True)
    (folder / "releases.yml").write_text('releases:\n  - {release: "1"}\n')
    with pytest.raises(DocumentError, match=r"releases\.yml:\d"):
        application_images(Project(tmp_path))


def test_a_checkout_without_the_applications_has_no_images_of_them(tmp_path: Path) -> None:
    assert application_images(Project(tmp_path)) == ()
    assert builder_image(Project(tmp_path)) is None
