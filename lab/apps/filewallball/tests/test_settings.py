import json
import os
import unittest
from unittest.mock import patch

from pydantic import ValidationError

from app.release import Release
from app.settings import describe, load_settings

HONEST = Release("2", 2, "")
ENVIRONMENT = {
    "ENVIRONMENT": "production",
    "LOG_LEVEL": "WARNING",
    "SECRET_KEY": "k-secret",
    "CORS_ORIGINS": "https://a.example, https://b.example",
    "DB_HOST": "db",
    "DB_NAME": "files",
    "DB_USER": "files",
    "DB_PASSWORD": "p-secret",
    "UPLOAD_DIR": "/tmp",
}


def environment(**changed: str) -> object:
    return patch.dict(os.environ, ENVIRONMENT | changed, clear=True)


class SettingsTest(unittest.TestCase):
    def test_the_environment_is_read(self) -> None:
        with environment(DEBUG="false", WORKERS="3"):
            settings = load_settings(HONEST)
        self.assertEqual(
            (settings.debug, settings.log_level, settings.workers), (False, "WARNING", 3)
        )
        self.assertEqual(settings.origins, ("https://a.example", "https://b.example"))

    def test_an_empty_redis_host_turns_the_cache_off(self) -> None:
        with environment(REDIS_HOST=""):
            self.assertEqual(load_settings(HONEST).redis_host, "")

    def test_secrets_are_described_as_null_or_as_a_keyed_hash(self) -> None:
        with environment():
            settings = load_settings(HONEST)
        self.assertIsNone(json.loads(describe(settings, None))["SECRET_KEY"])
        hashed = describe(settings, "key")
        self.assertEqual(len(json.loads(hashed)["DB_PASSWORD"]["hmac-sha256"]), 64)
        self.assertNotIn("secret", hashed.replace("SECRET_KEY", ""))

    def test_a_complaint_does_not_quote_the_value(self) -> None:
        with environment(DB_PORT="p-secret"), self.assertRaises(ValidationError) as raised:
            load_settings(HONEST)
        self.assertIn("db_port", str(raised.exception).lower())
        self.assertNotIn("p-secret", str(raised.exception))

    def test_no_defect_changes_nothing_and_an_unknown_one_is_refused(self) -> None:
        with environment(DEBUG="false"):
            self.assertEqual(load_settings(Release("3", 2, "settings")).log_level, "DEBUG")
            self.assertEqual(load_settings(HONEST).log_level, "WARNING")
            with self.assertRaises(ValueError):
                load_settings(Release("3", 2, "typo"))
