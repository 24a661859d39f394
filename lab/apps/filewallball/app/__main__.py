"""The launcher: prepares what the workers share and becomes uvicorn. It replaces itself instead of
starting a child, so that the number of workers can be read from the process's own command line.
"""

import os
import shutil
import tempfile
from pathlib import Path

from app import defects
from app.logs import CONFIG_FILE, announce
from app.metrics import METRICS_DIR
from app.release import load_release
from app.settings import Settings, load_settings
from app.storage import Storage


def main() -> None:
    release = load_release()
    settings = load_settings(release)
    storage = Storage(settings.upload_dir, settings.max_upload_mb * 1024 * 1024)
    storage.prepare()
    shared = Path(tempfile.gettempdir(), "metrics")
    # Numbers of an earlier start, if there was one; what cannot be removed makes the next line fail.
    shutil.rmtree(shared, ignore_errors=True)
    shared.mkdir(mode=0o700)
    environment = os.environ | {METRICS_DIR: str(shared), "TMPDIR": str(storage.incoming)}
    announce(f"starting release {release.release} with {settings.workers} workers")
    defects.launch(release, _command(settings), environment)
    os.execvpe("uvicorn", _command(settings), environment)


def _command(settings: Settings) -> list[str]:
    return [
        "uvicorn",
        "app.main:create_app",
        "--factory",
        "--host=0.0.0.0",
        "--port=8000",
        f"--workers={settings.workers}",
        f"--log-config={CONFIG_FILE}",
        f"--log-level={settings.log_level.lower()}",
        "--no-access-log",
        "--no-server-header",
        "--timeout-graceful-shutdown=10",
    ]


if __name__ == "__main__":
    main()
