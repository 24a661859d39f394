"""Links that let somebody download one file until a given time, signed with SECRET_KEY."""

import hashlib
import hmac

from pydantic import SecretStr

LIFETIME_SECONDS = 3600


def sign(key: SecretStr, file_id: int, expires: int) -> str:
    message = f"{file_id}:{expires}".encode()
    return hmac.new(key.get_secret_value().encode(), message, hashlib.sha256).hexdigest()


def is_valid(key: SecretStr, file_id: int, expires: int, signature: str, *, now: float) -> bool:
    expected = sign(key, file_id, expires)
    return now < expires and hmac.compare_digest(expected.encode(), signature.encode())
