"""The lab's own small certificate authority, and the certificate it gave the mail server: made once
with openssl and kept in the state directory. Knows nobody who trusts them.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from verifier.errors import InfrastructureError
from verifier.lab.state import LabState

DAYS = "3650"
SUBJECT = "/O=verifier lab"


def ensure_certificate(state: LabState, name: str) -> str:
    """The authority, and a certificate of it for `name`. Says what was done."""
    made = [path for path in (state.ca_certificate, certificate(state, name)) if path.is_file()]
    if len(made) == 2 and key(state, name).is_file():  # noqa: PLR2004
        return "up to date"
    state.certificates.mkdir(mode=0o700, exist_ok=True)
    if not state.ca_certificate.is_file():
        _make_authority(state)
    _issue(state, name)
    return "made"


def certificate(state: LabState, name: str) -> Path:
    return state.certificates / f"{name}.crt"


def key(state: LabState, name: str) -> Path:
    return state.certificates / f"{name}.key"


def _make_authority(state: LabState) -> None:
    usage = ("basicConstraints=critical,CA:TRUE,pathlen:0", "keyUsage=critical,keyCertSign,cRLSign")
    _openssl(
        *("req", "-x509", *_new_key(state.certificates / "ca.key")),
        *("-days", DAYS, "-subj", f"{SUBJECT}/CN=Lab authority"),
        *(part for line in usage for part in ("-addext", line)),
        *("-out", str(state.ca_certificate)),
    )


def _issue(state: LabState, name: str) -> None:
    request, extensions = (state.certificates / f"{name}.{kind}" for kind in ("csr", "ext"))
    extensions.write_text(
        f"subjectAltName=DNS:{name}\nbasicConstraints=critical,CA:FALSE\n"
        "keyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth\n"
        "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"
    )
    _openssl(
        *("req", *_new_key(key(state, name)), "-subj", f"{SUBJECT}/CN={name}"),
        *("-out", str(request)),
    )
    _openssl(
        *("x509", "-req", "-in", str(request), "-days", DAYS, "-extfile", str(extensions)),
        *("-CA", str(state.ca_certificate), "-CAkey", str(state.certificates / "ca.key")),
        *("-CAcreateserial", "-out", str(certificate(state, name))),
    )
    for path in (request, extensions):
        path.unlink()


def _new_key(path: Path) -> Sequence[str]:
    # Without a passphrase: it vouches for throw-away containers and for nothing else.
    return (
        *("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
        *("-nodes", "-keyout", str(path)),
    )


def _openssl(*arguments: str) -> None:
    try:
        subprocess.run(
            ("openssl", *arguments), check=True, capture_output=True, text=True, timeout=30
        )
    except (OSError, subprocess.SubprocessError) as error:
        said = (getattr(error, "stderr", "") or str(error)).strip().splitlines()[-1]
        raise InfrastructureError(
            f"openssl could not make the lab's certificates: {said}", do="install openssl"
        ) from error
