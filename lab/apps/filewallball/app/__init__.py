"""FileWallBall: a small file store with an HTTP API. A file is a row in MariaDB and bytes on disk."""
