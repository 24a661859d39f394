"""Which release this is: its name, the database schema it was written for, and the defect it was
built with (none, in an honest release). Baked into the image as release.json, so that no
environment variable can make an image claim to be another one.
"""

import json
from dataclasses import dataclass
from pathlib import Path

RELEASE_FILE = Path(__file__).resolve().parent.parent / "release.json"


@dataclass(frozen=True, slots=True)
class Release:
    release: str
    schema: int
    defect: str

    @property
    def revision(self) -> str:
        """The migration this release needs, as Alembic names it: 2 is `0002`."""
        return f"{self.schema:04d}"


def load_release(path: Path = RELEASE_FILE) -> Release:
    fields = json.loads(path.read_text(encoding="utf-8"))
    return Release(str(fields["release"]), int(fields["schema"]), str(fields["defect"]))
