from __future__ import annotations

import ssl
import stat
import subprocess
from pathlib import Path

from verifier.lab.certificates import certificate, ensure_certificate, key
from verifier.lab.state import LabState

NAME = "mail.test"


def test_a_certificate_is_made_once_and_its_keys_are_private(tmp_path: Path) -> None:
    state = LabState(tmp_path)
    assert ensure_certificate(state, NAME) == "made"
    first = certificate(state, NAME).read_text()
    assert ensure_certificate(state, NAME) == "up to date"
    assert certificate(state, NAME).read_text() == first
    assert stat.S_IMODE(key(state, NAME).stat().st_mode) == 0o600
    assert stat.S_IMODE((state.certificates / "ca.key").stat().st_mode) == 0o600


def test_who_trusts_the_authority_trusts_the_certificate_for_its_name_alone(tmp_path: Path) -> None:
    state = LabState(tmp_path)
    ensure_certificate(state, NAME)
    assert _handshake(state, NAME) == ""
    assert "Hostname mismatch" in _handshake(state, "other.test")


def test_another_lab_is_another_authority(tmp_path: Path) -> None:
    ours, theirs = LabState(tmp_path / "a"), LabState(tmp_path / "b")
    for state in (ours, theirs):
        state.root.mkdir()
        ensure_certificate(state, NAME)
    verified = subprocess.run(
        ["openssl", "verify", "-CAfile", str(theirs.ca_certificate), str(certificate(ours, NAME))],
        check=False,
        capture_output=True,
    )
    assert verified.returncode != 0


def _handshake(state: LabState, asked_for: str) -> str:
    """A whole TLS handshake in memory; what the client complains of."""
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(certificate(state, NAME), key(state, NAME))
    asking = ssl.create_default_context(cafile=str(state.ca_certificate))
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = served.wrap_bio(up, down, server_side=True)
    client = asking.wrap_bio(down, up, server_hostname=asked_for)
    for _ in range(4):
        for end in (client, server):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLCertVerificationError as error:
                return str(error)
    return ""
