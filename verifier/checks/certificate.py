"""A TLS server proves who it is: its chain verifies, its names match, it does not end soon, and old
protocols are refused.

    - id: certificate-good
      check: certificate
      from: controller
      with: {domain: www.example.org, min_days: 21}

`domain` is the name that is asked for (SNI) and that must stand among the certificate's
subjectAltNames; a common name alone does not count, as in browsers. `port` is where it is asked;
`connect` is the address to connect to instead of the one that `domain` resolves to, for a look
behind a load balancer or before DNS is switched. `min_days` is how long the server's own
certificate must still be valid by the clock of the vantage. Every protocol older than
`min_protocol` (TLSv1.2 or TLSv1.3) is offered alone and must be refused; one that the OpenSSL of
the vantage cannot offer any more is not tried, is not claimed to be refused, and stands under
`untried` in the observation. The chain must lead to an authority that the vantage trusts, or with
`ca_file`, a path there, to one of that file and to no other. With `trusted: false` the chain is not
judged, for a certificate that signed itself; names, days and protocols are. A port on which nothing
speaks TLS is red; a name that does not resolve is no verdict. Neither revocation nor STARTTLS is
looked at. It needs python3 at the vantage.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

from verifier.checks.base import Check, Host, Mismatch, ask
from verifier.errors import CannotObserve

_PROTOCOLS = ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")
_DAY_S = 86400
_EXPIRED, _NO_ISSUER = 10, (20, 21)  # OpenSSL's codes of a failed verification


@dataclass(frozen=True, slots=True)
class Params:
    domain: str
    port: int = 443
    connect: str = ""
    min_days: int = 14
    min_protocol: Literal["TLSv1.2", "TLSv1.3"] = "TLSv1.2"
    ca_file: str = ""
    trusted: bool = True

    def __post_init__(self) -> None:
        if not self.domain.strip() or "/" in self.domain:
            raise ValueError("domain is a name as it stands in a certificate, not a URL")
        if not 0 < self.port < 65536:  # noqa: PLR2004  the ports there are
            raise ValueError("port is a number from 1 to 65535")
        if self.ca_file and not self.trusted:
            raise ValueError("ca_file says who to trust, and trusted: false that nobody is asked")


@dataclass(frozen=True, slots=True)
class Seen:
    """`trouble` is why there was no TLS answer, `doubt` why the chain does not verify, with
    OpenSSL's `code`. Times are seconds since 1970, `now` by the clock of the vantage.
    """

    trouble: str = ""
    protocol: str = ""
    doubt: str = ""
    code: int = 0
    names: tuple[str, ...] = ()
    name_matches: bool = False
    issuer: str = ""
    not_before: float = 0
    not_after: float = 0
    now: float = 0
    accepted: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    untried: tuple[str, ...] = ()


def observe(host: Host, want: Params) -> Seen:
    asked = {
        "domain": want.domain,
        "port": want.port,
        "connect": want.connect or want.domain,
        "ca_file": want.ca_file,
        "trusted": want.trusted,
        "older": _PROTOCOLS[: _PROTOCOLS.index(want.min_protocol)],
    }
    printed = ask(host, "python3 -W ignore -c %s %s", _PROGRAM, json.dumps(asked))
    try:
        raw = json.loads(printed)
        lists = {name: tuple(value) for name, value in raw.items() if isinstance(value, list)}
        return Seen(**{**raw, **lists})
    except (AttributeError, TypeError, ValueError) as error:
        raise CannotObserve("the program at the vantage printed something else") from error


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    what = f"{want.domain}:{want.port}"
    if seen.trouble:
        return [Mismatch(what, "an answer over TLS", seen.trouble)]
    wrong = [*_judge_chain(want, seen, what), *_judge_days(want, seen, what)]
    if not seen.name_matches:
        names = ", ".join(seen.names) or "no subjectAltName"
        wrong.append(Mismatch(f"names of {what}", want.domain, names))
    too_old = _PROTOCOLS[: _PROTOCOLS.index(want.min_protocol)]
    spoken = [protocol for protocol in too_old if protocol in (*seen.accepted, seen.protocol)]
    return wrong + [Mismatch(f"{protocol} at {what}", "refused", "accepted") for protocol in spoken]


def _impossible(want: Params) -> Params:
    return replace(want, min_days=10_000_000)  # a certificate ends in the year 9999 at the latest


CHECK = Check(Params, observe, judge, impossible=_impossible)


def _judge_chain(want: Params, seen: Seen, what: str) -> list[Mismatch]:
    if not want.trusted or not seen.doubt:
        return []
    if seen.code == _EXPIRED and seen.not_after < seen.now:
        return []  # said by its days
    hint = ": one above the server's own" if seen.code == _EXPIRED else ""
    if seen.code in _NO_ISSUER:
        hint = ": an unknown authority, or the server does not send its intermediate certificate"
    wanted = f"verifies with {want.ca_file}" if want.ca_file else "verifies"
    saw = f"{seen.doubt}{hint} (issued by {seen.issuer or 'nobody named'})"
    return [Mismatch(f"chain of {what}", wanted, saw)]


def _judge_days(want: Params, seen: Seen, what: str) -> list[Mismatch]:
    what = f"certificate of {what}"
    if seen.now < seen.not_before:
        return [Mismatch(what, "valid today", f"valid only from {_date(seen.not_before)}")]
    left = (seen.not_after - seen.now) / _DAY_S
    if left < 0:
        saw = f"expired on {_date(seen.not_after)}"
        return [Mismatch(what, f"valid for {want.min_days} days or more", saw)]
    if left < want.min_days:
        saw = f"{int(left)} days left, until {_date(seen.not_after)}"
        return [Mismatch(what, f"valid for {want.min_days} days or more", saw)]
    return []


def _date(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).date().isoformat()


# The certificate is read and its names are compared by OpenSSL itself, in handshakes that trust just this
# certificate and no clock: without a verification Python hands out nothing but its bytes.
_PROGRAM = """
import glob, json, socket, ssl, sys, time

want = json.loads(sys.argv[1])
TIMEOUT_S = 10
VERSIONS = {"TLSv1": "TLSv1", "TLSv1.1": "TLSv1_1", "TLSv1.2": "TLSv1_2", "TLSv1.3": "TLSv1_3"}
PARTIAL_CHAIN, NO_CHECK_TIME = 0x80000, 0x200000
# What OpenSSL calls it when the other side does not want the version, and when it itself cannot offer it.
REFUSALS = ("ALERT_PROTOCOL_VERSION", "ALERT_HANDSHAKE_FAILURE", "ALERT_INSUFFICIENT_SECURITY",
            "UNSUPPORTED_PROTOCOL", "WRONG_VERSION_NUMBER", "WRONG_SSL_VERSION",
            "ALERT_INTERNAL_ERROR", "UNEXPECTED_EOF")

def fail(text):
    sys.stderr.write(text + "\\n")
    sys.exit(1)

def give(**seen):
    print(json.dumps(seen))
    sys.exit(0)

def connect():
    try:
        return socket.create_connection((want["connect"], want["port"]), TIMEOUT_S)
    except socket.gaierror as error:
        fail("%s does not resolve: %s" % (want["connect"], error.strerror))
    except UnicodeError:
        fail("%s is no name" % want["connect"])

def context(minimum=ssl.TLSVersion.TLSv1, maximum=ssl.TLSVersion.MAXIMUM_SUPPORTED):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    made.minimum_version, made.maximum_version = minimum, maximum
    # What is found out here is not whether the vantage likes the answer.
    made.set_ciphers("ALL:@SECLEVEL=0")
    return made

def shake(made, look=lambda tls: None):
    with connect() as plain, made.wrap_socket(plain, server_hostname=want["domain"]) as tls:
        return look(tls)

def own(der, names):
    made = context()
    made.verify_mode = ssl.CERT_REQUIRED
    made.load_verify_locations(cadata=der)
    made.verify_flags |= PARTIAL_CHAIN | NO_CHECK_TIME
    made.hostname_checks_common_name = False
    made.check_hostname = names
    return made

def trusting():
    made = ssl.create_default_context()
    made.check_hostname = False
    if want["ca_file"]:
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        made.check_hostname = False
        try:
            made.load_verify_locations(cafile=want["ca_file"])
        except OSError as error:
            fail("%s cannot be read as certificates: %s" % (want["ca_file"], error.strerror or error))
    else:
        paths = ssl.get_default_verify_paths()
        if not made.cert_store_stats()["x509_ca"] and not glob.glob(
            "%s/*.0" % (paths.capath or "/nowhere")
        ):
            fail("this machine trusts no authority at all (no ca-certificates)")
    made.minimum_version = ssl.TLSVersion.TLSv1
    return made

def doubt():
    try:
        shake(trusting())
    except ssl.SSLCertVerificationError as error:
        return error.verify_message, error.verify_code
    except ssl.SSLError as error:
        return "no handshake with the vantage's own settings: %s" % error.reason, 0
    return "", 0

def can_offer(made):
    sent = ssl.MemoryBIO()
    try:
        made.wrap_bio(ssl.MemoryBIO(), sent, server_hostname=want["domain"]).do_handshake()
    except ssl.SSLWantReadError:
        return sent.pending > 0
    except ssl.SSLError:
        return False

def old(name):
    try:
        version = getattr(ssl.TLSVersion, VERSIONS[name])
        made = context(version, version)
    except (AttributeError, ValueError, ssl.SSLError):
        return "untried"
    if not getattr(ssl, "HAS_" + VERSIONS[name]) or not can_offer(made):
        return "untried"
    try:
        shake(made)
    except (ConnectionResetError, BrokenPipeError, ssl.SSLEOFError, ssl.SSLZeroReturnError):
        return "refused"
    except ssl.SSLError as error:
        if any(word in (error.reason or "") for word in REFUSALS):
            return "refused"
        fail("whether %s is refused is not known: %s" % (name, error.reason or error))
    except OSError as error:
        fail("whether %s is refused is not known: %s" % (name, error))
    return "accepted"

def in_words(name):
    return ", ".join(value for part in name for key, value in part
                     if key in ("organizationName", "commonName"))

try:
    protocol, der = shake(context(), lambda tls: (tls.version(), tls.getpeercert(True)))
except ssl.SSLError as error:
    give(trouble="no TLS answer: the handshake failed: %s" % (error.reason or error))
except OSError as error:
    if error.errno in (101, 99, 97):
        fail("no way to %s: %s" % (want["connect"], error.strerror))
    give(trouble="no TLS answer: %s" % (error.strerror or error))

try:
    said, code = doubt() if want["trusted"] else ("", 0)
    try:
        read = shake(own(der, False), lambda tls: tls.getpeercert())
    except ssl.SSLCertVerificationError as error:
        if not said:
            fail("the certificate cannot be read: %s" % error.verify_message)
        give(trouble="a certificate that is no server's: %s" % said)
    try:
        shake(own(der, True))
        matches = True
    except ssl.SSLCertVerificationError as error:
        if error.verify_code not in (62, 64):
            fail("its names cannot be compared: %s" % error.verify_message)
        matches = False
    results = {name: old(name) for name in want["older"]}
except OSError as error:
    fail("the server stopped answering: %s" % error)
give(
    protocol=protocol, doubt=said, code=code, name_matches=matches, now=time.time(),
    names=[value for _, value in read.get("subjectAltName", ())],
    issuer=in_words(read.get("issuer", ())),
    not_before=ssl.cert_time_to_seconds(read["notBefore"]),
    not_after=ssl.cert_time_to_seconds(read["notAfter"]),
    **{kind: [n for n, result in results.items() if result == kind]
       for kind in ("accepted", "refused", "untried")},
)
"""
