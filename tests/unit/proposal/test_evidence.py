from __future__ import annotations

import pytest

from verifier.proposal.evidence import address_of, evidence_in


@pytest.mark.parametrize(
    ("title", "files"),
    [
        ("`.env.prod` 파일이 있다", (".env.prod",)),
        ("`.gitignore`에 `.env`가 있다", (".gitignore", ".env")),
        ("Copy `.env.example` to `.env`", (".env.example", ".env")),
        ("config lies in `/etc/nginx/sites-enabled/app`", ("/etc/nginx/sites-enabled/app",)),
        ("the Dockerfile and compose.yml are there", ("Dockerfile", "compose.yml")),
        ("Node.js and Next.js are known", ()),
        ("app.company.io answers", ()),
        ("`/api/users` answers", ()),
    ],
)
def test_files_are_told_from_domains_routes_and_libraries(
    title: str, files: tuple[str, ...]
) -> None:
    assert evidence_in(title).files == files


@pytest.mark.parametrize(
    ("url", "host", "path"),
    [
        ("https://files.company.tld/health", "files.company.tld", "/health"),
        ("http://localhost:8000/", "localhost", "/"),
        ("https://yourdomain.com/api", "", "/api"),
        ("https://<host>/api", "", "/api"),
        ("https://example.com/x", "", "/x"),
        ("https://{{ domain }}/x", "", "/x"),
        ("https://[bad/x", "", "/x"),
    ],
)
def test_a_placeholder_is_no_host(url: str, host: str, path: str) -> None:
    address = address_of(url)
    assert (address.host, address.path) == (host, path)


def test_settings_keys_ports_versions_and_routes_are_found() -> None:
    assert evidence_in("`DEBUG=false` is set").settings == (("DEBUG", "false"),)
    assert evidence_in("`PAYMENT_KEY` and MAIL_HOST are set").keys == ("PAYMENT_KEY", "MAIL_HOST")
    assert evidence_in("ports 80/443 are open").ports == (80, 443)
    assert evidence_in("포트 3000이 비어 있다").ports == (3000,)
    assert [v.constraint for v in evidence_in("Node.js 20+ and Docker 24.0").versions] == [
        ">=20",
        "24.0",
    ]
    assert evidence_in("`POST /orders` works").routes == (("POST", "/orders"),)


def test_a_command_is_read_from_spans_and_own_fences_and_never_from_a_path() -> None:
    assert evidence_in("Run `docker compose ps`").own_command is not None
    assert evidence_in("It is up", ("curl http://localhost:9/\n",)).own_command is not None
    assert evidence_in("`scripts/check.sh` is there").own_command is None
    assert evidence_in("`DEBUG=false`").own_command is None


def test_a_long_line_is_about_its_first_sentence() -> None:
    title = (
        "The list of users is complete. " + "A non-zero value of `other.conf` means trouble. " * 4
    )
    assert evidence_in(title).files == ()
