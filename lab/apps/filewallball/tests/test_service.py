import io
import json
import logging
import sys
import tempfile
import unittest
from pathlib import Path

from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy import create_engine

from app import defects, links
from app.health import Health, _schema
from app.logs import JsonFormatter
from app.migrate import _pending
from app.release import Release
from app.storage import Storage, TooLarge, shown_name


class StorageTest(unittest.TestCase):
    def test_a_name_cannot_lead_out_of_the_upload_directory(self) -> None:
        for sent in ("../../etc/passwd", "..\\..\\etc\\passwd", "/etc/passwd"):
            self.assertEqual(shown_name(sent), "passwd")
        for sent in ("..", ".", "", "a/", None, "\x00\n"):
            self.assertEqual(shown_name(sent), "unnamed")
        self.assertEqual(shown_name("보고서\r\n.pdf"), "보고서.pdf")

    def test_what_was_stored_is_read_back_and_nothing_is_left_over(self) -> None:
        with tempfile.TemporaryDirectory() as root:
            storage = Storage(Path(root), 4)
            storage.prepare()
            stored = storage.save(io.BytesIO(b"ball"))
            self.assertEqual(storage.path(stored.stored_as).read_bytes(), b"ball")
            with self.assertRaises(TooLarge):
                storage.save(io.BytesIO(b"balls"))
            self.assertEqual(list(storage.incoming.iterdir()), [])


class LogTest(unittest.TestCase):
    def test_a_line_is_one_json_object_even_with_a_traceback(self) -> None:
        try:
            raise RuntimeError("two\nlines")
        except RuntimeError:
            record = logging.LogRecord("x", logging.ERROR, "", 0, "failed", None, sys.exc_info())
        record.status = 500
        text = JsonFormatter().format(record)
        self.assertNotIn("\n", text)
        line = json.loads(text)
        self.assertEqual((line["level"], line["message"], line["status"]), ("ERROR", "failed", 500))
        self.assertIn("RuntimeError", line["exception"])


class DefectsTest(unittest.TestCase):
    def test_an_honest_release_gets_no_layer(self) -> None:
        app = FastAPI()
        defects.install(app, create_engine("sqlite://"), None, Release("2", 2, ""))
        self.assertEqual(app.user_middleware, [])
        defects.launch(Release("2", 2, ""), ["false"], {})


class RulesTest(unittest.TestCase):
    def test_an_older_release_accepts_a_newer_schema_but_not_the_reverse(self) -> None:
        self.assertEqual(_schema("0002", "0001"), "ok")
        self.assertNotEqual(_schema("0001", "0002"), "ok")
        self.assertNotEqual(_schema(None, "0001"), "ok")
        self.assertFalse(Health({"database": "ok", "schema": "failed"}).is_ok)

    def test_only_what_this_release_needs_is_pending(self) -> None:
        self.assertEqual(_pending(None, "0002"), ["0001", "0002"])
        self.assertEqual(_pending("0001", "0002"), ["0002"])
        self.assertEqual(_pending("0002", "0001"), [])

    def test_a_link_is_valid_for_one_file_and_one_time(self) -> None:
        key = SecretStr("k")
        signature = links.sign(key, 1, 100)
        self.assertTrue(links.is_valid(key, 1, 100, signature, now=99))
        self.assertFalse(links.is_valid(key, 1, 100, signature, now=100))
        self.assertFalse(links.is_valid(key, 2, 100, signature, now=99))
        self.assertFalse(links.is_valid(key, 1, 100, "é", now=99))
