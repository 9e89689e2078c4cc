"""Secrets that must be had again in plain, such as those of webhooks: stored sealed, opened where they are used.

The key comes from the settings, or from a file beside the database that only this user can read.
"""

from __future__ import annotations

import os
from base64 import urlsafe_b64encode
from hashlib import sha256
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from service.errors import DataError
from service.settings import Settings


class Sealer:
    """Seals with the first key, opens with any of them."""

    def __init__(self, *keys: str) -> None:
        """`keys` are any texts that nobody can guess."""
        self._fernet = MultiFernet([Fernet(urlsafe_b64encode(sha256(key.encode()).digest())) for key in keys])

    def seal(self, plain: str) -> str:
        """What can be stored; other each time."""
        return self._fernet.encrypt(plain.encode()).decode("ascii")

    def open(self, sealed: str) -> str:
        """Raises DataError for what was sealed with another key, or changed since."""
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken:
            raise DataError(
                "a stored secret was sealed with another key; "
                "give the earlier one in SHENYAN_SECRET_KEY too, behind a comma, or store the secret anew"
            ) from None


def open_sealer(settings: Settings) -> Sealer:
    """By SHENYAN_SECRET_KEY; unset, by `secret.key` in the data folder, which is made when it is not there.

    Raises DataError when that file can't be read or made.
    """
    if settings.secret_key is not None:
        given = settings.secret_key.get_secret_value()
        return Sealer(*(part.strip() for part in given.split(",") if part.strip()))
    return Sealer(_kept_key(settings.secret_file))


def _kept_key(file: Path) -> str:
    """The key in `file`. Processes that start at once all end up with the same one."""
    try:
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            draft = file.with_name(f"{file.name}.{os.getpid()}")
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(Fernet.generate_key() + b"\n")
                stream.flush()
                os.fsync(stream.fileno())
            try:
                # A link, unlike a rename, never takes the place of what another process has put there.
                os.link(draft, file)
            except FileExistsError:
                pass
            finally:
                draft.unlink()
        return file.read_text(encoding="ascii").strip()
    except OSError as error:
        raise DataError(f"{file}: the key for stored secrets can't be kept ({error.strerror})") from error
