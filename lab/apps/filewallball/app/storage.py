"""The bytes of the uploaded files, on disk in UPLOAD_DIR. A file is stored under a name of our own
making; the name its sender gave it is kept in the database and never becomes part of a path.
"""

import hashlib
import os
import secrets
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

CHUNK = 256 * 1024
NAME_LIMIT = 255


class TooLarge(Exception):
    """The upload is larger than MAX_UPLOAD_MB."""


@dataclass(frozen=True, slots=True)
class StoredBytes:
    stored_as: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Storage:
    root: Path
    limit: int

    @property
    def incoming(self) -> Path:
        """Where uploads are spooled while they arrive: on the volume, for /tmp is memory."""
        return self.root / "incoming"

    def prepare(self) -> None:
        self.incoming.mkdir(mode=0o750, exist_ok=True)

    def path(self, stored_as: str) -> Path:
        return self.root / stored_as[:2] / stored_as

    def save(self, source: BinaryIO) -> StoredBytes:
        """Complete on disk, or not there at all. Raises TooLarge and OSError."""
        stored_as = secrets.token_hex(16)
        partial = self.incoming / stored_as
        try:
            size, sha256 = self._copy(source, partial)
            final = self.path(stored_as)
            final.parent.mkdir(mode=0o750, exist_ok=True)
            partial.rename(final)
        finally:
            partial.unlink(missing_ok=True)
        return StoredBytes(stored_as, size, sha256)

    def remove(self, stored_as: str) -> None:
        self.path(stored_as).unlink(missing_ok=True)

    def _copy(self, source: BinaryIO, target: Path) -> tuple[int, str]:
        digest, size = hashlib.sha256(), 0
        with target.open("xb") as out:
            while chunk := source.read(CHUNK):
                size += len(chunk)
                if size > self.limit:
                    raise TooLarge
                digest.update(chunk)
                out.write(chunk)
            out.flush()
            os.fsync(out.fileno())
        return size, digest.hexdigest()


def shown_name(sent: str | None) -> str:
    """What is kept of the name a sender gave: its last part, without control characters."""
    last = unicodedata.normalize("NFC", sent or "").replace("\\", "/").rsplit("/", 1)[-1]
    printable = "".join(char for char in last if char.isprintable()).strip()
    return "unnamed" if printable in {"", ".", ".."} else printable[-NAME_LIMIT:]
