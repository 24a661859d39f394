"""Images are whole, of a format for the web, and within a budget of pixels and bytes.

    - id: images-within-budget
      check: image_budget
      with:
        directory: "{{ release_dir }}/web"
        formats: [png, webp, svg]
        budget:
          "assets/hero-*": {bytes: 300000, width: 1920, height: 1080}
          "*": {bytes: 50000, width: 512, height: 512}
        total: 1000000

Every file below `directory` whose name ends like an image (png, jpg, jpeg, gif, webp, avif, ico, bmp,
tif, tiff, svg) is read and decoded on the controller. `budget` maps a shell pattern of its path to
the most bytes, pixels of width and of height it may have, each of them optional; the first pattern
that matches counts. `formats` are those that may be used, by default all but bmp and tiff; `total`
limits the bytes of all of them. Of an SVG, which has no pixels, only the bytes count.

Red are an image over its budget, one without a budget, one of another format than its name says or
than is allowed, one that is cut short or is not an image at all, and a pattern that matches none:
a budget for nothing was not kept. A directory without an image is red unless `may_be_none`. It
needs `find` and `base64` on the host. Images within CSS, scripts or pages are not seen, nor those
whose names end otherwise.
"""

from __future__ import annotations

import base64
import binascii
import io
import re
import struct
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Annotated, Literal
from xml.etree import ElementTree as ET

from PIL import Image
from pydantic import Field

from verifier.checks.base import Check, Host, Mismatch, ask
from verifier.errors import CannotObserve

Format = Literal["png", "jpeg", "gif", "webp", "avif", "ico", "bmp", "tiff", "svg"]

# A larger one is over every budget; it is not fetched.
_MOST_BYTES = 2_000_000
_MOST_IMAGES = 500
_MOST_PIXELS = 50_000_000
_BATCH_BYTES = 2_500_000
_SHORT = {"jpg": "jpeg", "tif": "tiff"}
_LISTED = re.compile(r"^\s*(\d+) \./(.+)$", re.MULTILINE)
_DECODED = ("PNG", "JPEG", "GIF", "WEBP", "AVIF", "ICO", "BMP", "TIFF")
# What the decoders raise for bytes they do not understand.
_BROKEN = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    struct.error,
    IndexError,
    KeyError,
    TypeError,
    Image.DecompressionBombError,
)


@dataclass(frozen=True)
class Budget:
    bytes: Annotated[int, Field(gt=0, le=_MOST_BYTES)] | None = None
    width: Annotated[int, Field(gt=0)] | None = None
    height: Annotated[int, Field(gt=0)] | None = None


@dataclass(frozen=True)
class Params:
    directory: Annotated[str, Field(min_length=1)]
    budget: Annotated[Mapping[str, Budget], Field(min_length=1)]
    formats: Annotated[tuple[Format, ...], Field(min_length=1)] = (
        "png",
        "jpeg",
        "gif",
        "webp",
        "avif",
        "ico",
        "svg",
    )
    total: Annotated[int, Field(gt=0)] | None = None
    may_be_none: bool = False

    def __post_init__(self) -> None:
        for pattern, budget in self.budget.items():
            if budget == Budget():
                raise ValueError(f"budget of '{pattern}': at least one of bytes, width, height")


@dataclass(frozen=True)
class Picture:
    """One image. `format` is what its bytes say; width and height are 0 where it has no pixels;
    `trouble` is why it could not be decoded.
    """

    path: str
    bytes: int
    format: str = ""
    width: int = 0
    height: int = 0
    trouble: str = ""


@dataclass(frozen=True)
class Seen:
    pictures: tuple[Picture, ...]


def observe(host: Host, want: Params) -> Seen:
    listing = ask(host, "cd %s && find . -type f -exec sh -c %s sh {} +", want.directory, _LIST)
    sizes = {path: int(size) for size, path in _LISTED.findall(listing)}
    if len(sizes) > _MOST_IMAGES:
        raise CannotObserve(f"{len(sizes)} images in {want.directory}, more than {_MOST_IMAGES}")
    large = [Picture(p, n) for p, n in sizes.items() if n > _MOST_BYTES]
    read = [
        _picture(path, content)
        for batch in _batches({p: n for p, n in sizes.items() if n <= _MOST_BYTES})
        for path, content in _fetch(host, want.directory, batch)
    ]
    return Seen(tuple(sorted((*large, *read), key=lambda picture: picture.path)))


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    if not seen.pictures:
        none = Mismatch(want.directory, "images", "none at all")
        return [] if want.may_be_none else [none]
    wrong = [mismatch for picture in seen.pictures for mismatch in _judge(want, picture)]
    used = {_pattern(want, picture.path) for picture in seen.pictures}
    unused = [pattern for pattern in want.budget if pattern not in used]
    wrong += [Mismatch(f"images like {pattern}", "at least one", "none") for pattern in unused]
    total = sum(picture.bytes for picture in seen.pictures)
    if want.total is not None and total > want.total:
        wrong.append(Mismatch("all images", f"{want.total} bytes or less", f"{total} bytes"))
    return wrong


_NO_PICTURE = "*/no/image/has/this/name"


def _impossible(want: Params) -> Params:
    return replace(want, budget={_NO_PICTURE: Budget(bytes=1)}, may_be_none=False)


CHECK = Check(Params, observe, judge, impossible=_impossible)

_LIST = r"""
for f do
  case $(printf %s "${f##*/}" | tr A-Z a-z) in
    *.png|*.jpg|*.jpeg|*.gif|*.webp|*.avif|*.ico|*.bmp|*.tif|*.tiff|*.svg) ;;
    *) continue ;;
  esac
  n=$(wc -c <"$f") || exit 1
  echo "$n $f"
done
"""
_FETCH = """for f do base64 <"$f" | tr -d '\\n'; echo; done"""


def _batches(sizes: Mapping[str, int]) -> Iterator[dict[str, int]]:
    """Each small enough for one answer."""
    batch: dict[str, int] = {}
    for path, size in sizes.items():
        if batch and sum(batch.values()) + size > _BATCH_BYTES:
            yield batch
            batch = {}
        batch[path] = size
    if batch:
        yield batch


def _fetch(host: Host, directory: str, sizes: Mapping[str, int]) -> Iterator[tuple[str, bytes]]:
    places = [f"./{path}" for path in sizes]
    printed = ask(host, "cd %s && sh -c %s sh" + " %s" * len(places), directory, _FETCH, *places)
    lines = printed.split("\n")[: len(places)]
    for (path, size), line in zip(sizes.items(), lines, strict=True):
        try:
            content = base64.b64decode(line, validate=True)
        except binascii.Error as error:
            raise CannotObserve(f"{path}: what came is not base64") from error
        if len(content) != size:
            raise CannotObserve(f"{path}: {len(content)} of {size} bytes could be read")
        yield path, content


def _picture(path: str, content: bytes) -> Picture:
    size = len(content)
    if not content:
        return Picture(path, size, trouble="it is empty")
    if b"<svg" in content[:4096]:
        return Picture(path, size, "svg", trouble=_svg_trouble(content))
    try:
        with warnings.catch_warnings(), Image.open(io.BytesIO(content), formats=_DECODED) as image:
            warnings.simplefilter("ignore")
            found = Picture(path, size, str(image.format).lower(), image.width, image.height)
    except _BROKEN:
        return Picture(path, size, trouble="not an image")
    if found.width * found.height > _MOST_PIXELS:
        return replace(found, trouble=f"more than {_MOST_PIXELS} pixels")
    return replace(found, trouble=_decoding_trouble(content))


def _decoding_trouble(content: bytes) -> str:
    try:
        with warnings.catch_warnings(), Image.open(io.BytesIO(content), formats=_DECODED) as image:
            warnings.simplefilter("ignore")
            image.load()
    except _BROKEN as error:
        return f"broken: {error}"[:200]
    return ""


def _svg_trouble(content: bytes) -> str:
    if b"<!ENTITY" in content:
        return "it declares entities"
    try:
        root = ET.fromstring(content)  # noqa: S314  without entities nothing can grow
    except ET.ParseError as error:
        return f"broken: {error}"
    return "" if root.tag.rpartition("}")[2] == "svg" else "not an SVG"


def _judge(want: Params, picture: Picture) -> list[Mismatch]:
    wrong = []
    ending = picture.path.rpartition(".")[2].lower()
    named = _SHORT.get(ending, ending)
    if picture.trouble:
        wrong.append(Mismatch(picture.path, f"a whole {named}", picture.trouble))
    if picture.format and picture.format != named:
        wrong.append(Mismatch(picture.path, f"{named} as its name says", picture.format))
    if (picture.format or named) not in want.formats:
        allowed = f"a format of {', '.join(want.formats)}"
        wrong.append(Mismatch(picture.path, allowed, picture.format or named))
    pattern = _pattern(want, picture.path)
    if not pattern:
        wrong.append(Mismatch(picture.path, "a budget for it", "no pattern matches"))
        return wrong
    return wrong + _over(picture, want.budget[pattern])


def _over(picture: Picture, budget: Budget) -> list[Mismatch]:
    wrong = []
    limit = min(budget.bytes or _MOST_BYTES, _MOST_BYTES)
    if picture.bytes > limit:
        saw = f"{picture.bytes} bytes"
        wrong.append(Mismatch(picture.path, f"{limit} bytes or less", saw))
    if budget.width and picture.width > budget.width:
        saw = f"{picture.width} pixels"
        wrong.append(Mismatch(f"width of {picture.path}", f"at most {budget.width} pixels", saw))
    if budget.height and picture.height > budget.height:
        saw = f"{picture.height} pixels"
        wrong.append(Mismatch(f"height of {picture.path}", f"at most {budget.height} pixels", saw))
    return wrong


def _pattern(want: Params, path: str) -> str:
    return next((pattern for pattern in want.budget if fnmatchcase(path, pattern)), "")
