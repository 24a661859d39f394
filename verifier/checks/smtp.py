"""A mail server would take mail from us: it answers, encrypts, and accepts the login. No mail is
sent.

    - id: mail-can-be-sent
      check: smtp
      with:
        host: mail.example.org
        env_file: /srv/app/.env
        user_key: SMTP_USER
        password_key: SMTP_PASSWORD

The host itself asks: its greeting, EHLO, STARTTLS, EHLO again, and with `user_key` and
`password_key` AUTH; then QUIT. Port 465 is encrypted from the start; with `starttls: false` nothing
is encrypted on other ports, and then no login is tried, for the password would be read by others.
The certificate must be valid for `host` and come from an authority the host trusts, or from
`ca_file` on the host. The values of the two keys are read on the host out of `env_file`, as the
application reads them, and stand on no command line; a missing one is red. Red as well: refused,
silent for `max_time_s`, no mail server, no STARTTLS, an invalid certificate, a login that is not
offered or is refused. A name that cannot be resolved is no
verdict (bind `dns` for it), nor is a network without a way there. Whether a
mail would arrive is not known: sender policies, quotas and blocklists show only when one is sent.
It needs python3 on the host.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import Field

from verifier.checks._login import Client, Login, Vantage, log_in
from verifier.checks.base import Check, Host, Mismatch
from verifier.errors import CannotObserve

_FROM_THE_START = 465


@dataclass(frozen=True, slots=True)
class Params:
    host: Annotated[str, Field(min_length=1)]
    port: Annotated[int, Field(ge=1, le=65535)] = 587
    starttls: bool = True
    env_file: str = ""
    user_key: str = ""
    password_key: str = ""
    ca_file: str = ""
    max_time_s: Annotated[float, Field(gt=0, le=20)] = 10

    def __post_init__(self) -> None:
        given = (self.env_file, self.user_key, self.password_key)
        if any(given) and not all(given):
            raise ValueError("a login needs all of env_file, user_key and password_key")
        if self.user_key and self.encrypted == "not":
            raise ValueError("without starttls there is no login: others would read the password")

    @property
    def encrypted(self) -> str:
        if self.port == _FROM_THE_START:
            return "from the start"
        return "by STARTTLS" if self.starttls else "not"


@dataclass(frozen=True, slots=True)
class Seen:
    """`login.outcome` is `in`, or the step that failed: `connection`, `greeting`, `starttls`,
    `certificate`, `encryption`, `login not offered`, `login`, `talk`.
    """

    login: Login


def observe(host: Host, want: Params) -> Seen:
    asked = {
        "host": want.host,
        "port": want.port,
        "encrypted": want.encrypted,
        "ca_file": want.ca_file,
        "max_time_s": want.max_time_s,
    }
    keys = {"user": want.user_key, "password": want.password_key} if want.user_key else {}
    program = f"want = json.loads({json.dumps(asked)!r})\n{_PROGRAM}"
    client = Client("python", program, keys)
    login = log_in(host, Vantage(env_file=want.env_file), client)
    if login.outcome == "cannot":
        raise CannotObserve(login.said)
    return Seen(login)


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    login = seen.login
    if login.outcome == "in":
        return []
    if login.outcome == "incomplete":
        saw = f"no value for {', '.join(login.missing)} in {want.env_file}"
        return [Mismatch("login to the mail server", "all settings", saw)]
    wanted = _WANTED.get(login.outcome, "a talk in SMTP")
    return [Mismatch(f"{want.host}:{want.port}", wanted, login.said)]


def _impossible(want: Params) -> Params:
    # Refused by the host itself at once: no password goes anywhere.
    return replace(want, host="127.0.0.1", port=1, starttls=True)


CHECK = Check(Params, observe, judge, impossible=_impossible)

_WANTED = {
    "connection": "a connection",
    "greeting": "the greeting of a mail server (220)",
    "starttls": "STARTTLS",
    "certificate": "a valid certificate",
    "encryption": "an encrypted connection",
    "login not offered": "a login to be offered",
    "login": "the login to be accepted",
}

_PROGRAM = """
import base64, contextlib, smtplib, socket, ssl, time

began = time.monotonic()
user, password = given.get("user", ""), given.get("password", "")

def end(outcome, said):
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    # A server may send back what it was sent.
    for secret in (password, base64.b64encode(password.encode()).decode(),
                   base64.b64encode(("\\0%s\\0%s" % (user, password)).encode()).decode()):
        text = text.replace(secret, "[secret]") if secret else text
    text = " ".join(text.split())[:300] or "nothing"
    tell(outcome=outcome, said=text, took_ms=(time.monotonic() - began) * 1000)

if not all(given.values()):
    end("incomplete", "")
try:
    context = ssl.create_default_context(cafile=want["ca_file"] or None)
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # newer than many a company's own authority
except OSError as error:
    end("cannot", "ca_file %s cannot be used: %s" % (want["ca_file"], error))
try:
    places = socket.getaddrinfo(want["host"], want["port"], 0, socket.SOCK_STREAM)
except (OSError, UnicodeError) as error:
    end("cannot", "%s cannot be resolved: %s" % (want["host"], error))

def connect():
    answers, troubles = [], []
    for family, kind, protocol, _, place in places:
        wire = None
        try:
            wire = socket.socket(family, kind, protocol)
            wire.settimeout(want["max_time_s"])
            wire.connect(place)
            return wire
        except ConnectionRefusedError:
            answers.append("%s refuses" % place[0])
        except (TimeoutError, socket.timeout):
            answers.append("%s does not answer within %g s" % (place[0], want["max_time_s"]))
        except OSError as error:  # no way there from here, or no such kind of address here
            troubles.append("%s: %s" % (place[0], error.strerror or error))
        if wire:
            wire.close()
    end("connection" if answers else "cannot", ", ".join(answers or troubles))

step = "connection"
try:
    wire = connect()
    if want["encrypted"] == "from the start":
        step = "encryption"
        wire = context.wrap_socket(wire, server_hostname=want["host"])
    server = smtplib.SMTP(timeout=want["max_time_s"])
    server.sock, server._host = wire, want["host"]  # the name that starttls wants in the certificate
    step = "greeting"
    code, said = server.getreply()
    if code != 220:
        end(step, "%d %s" % (code, said.decode("utf-8", "replace")))
    step = "talk"
    server.ehlo_or_helo_if_needed()
    if want["encrypted"] == "by STARTTLS":
        if not server.has_extn("starttls"):
            end("starttls", "it is not offered")
        step = "encryption"
        server.starttls(context=context)
        step = "talk"
        server.ehlo_or_helo_if_needed()
    if given:
        offered = server.esmtp_features.get("auth", "").upper().split()
        if not {"CRAM-MD5", "PLAIN", "LOGIN"} & set(offered):
            end("login not offered", "AUTH %s" % " ".join(offered) if offered else "no AUTH")
        step = "login"
        code, said = server.login(user, password)
        if code != 235:
            end(step, "%d %s" % (code, said.decode("utf-8", "replace")))
    with contextlib.suppress(smtplib.SMTPException, OSError):
        server.quit()
    end("in", "accepted")
except UnicodeError:
    end("cannot", "the user or password has characters that this login cannot carry")
except smtplib.SMTPResponseException as error:
    end(step, "%d %s" % (error.smtp_code, error.smtp_error.decode("utf-8", "replace")
        if isinstance(error.smtp_error, bytes) else error.smtp_error))
except ssl.SSLCertVerificationError as error:
    end("certificate", error.verify_message)
except (TimeoutError, socket.timeout):
    end(step, "no answer within %g s" % want["max_time_s"])
except (smtplib.SMTPException, OSError) as error:
    silent = isinstance(error.__context__, (TimeoutError, socket.timeout))
    end(step, "no answer within %g s" % want["max_time_s"] if silent else error)
"""
