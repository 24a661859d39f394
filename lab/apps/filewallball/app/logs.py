"""The log: one JSON object per line on stdout, with the same keys in the same order. Configured in
the launcher and in logging.json, which uvicorn hands to each of its workers.
"""

import json
import logging
from datetime import UTC, datetime
from pathlib import Path

CONFIG_FILE = Path(__file__).with_name("logging.json")
REQUEST_FIELDS = ("method", "path", "status", "duration_ms", "request_id")

log = logging.getLogger("filewallball")


class JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: getattr(record, name) for name in REQUEST_FIELDS if hasattr(record, name)}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def announce(message: str) -> None:
    """One line that every start leaves behind, whatever LOG_LEVEL says: an empty log would look
    the same as a log that cannot be read.
    """
    record = logging.LogRecord(log.name, logging.INFO, "", 0, message, None, None)
    record.levelname = "NOTICE"
    print(JsonFormatter().format(record), flush=True)
