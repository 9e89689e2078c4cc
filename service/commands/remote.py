"""A running service, as the command line talks to it: with a key, over HTTP, so that rights, audit and gates are the same."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote

import httpx
import typer

from service.settings import read_remote

REFUSED, UNREACHABLE = 1, 3
"""Exit codes; 2 is typer's, for wrong usage."""
SECONDS = 300.0
"""How long an answer may take: a large import takes some tens of seconds."""


class Remote:
    """One lexicon of the service at SHENYAN_URL."""

    def __init__(self, name: str, key_file: Path | None, reason: str | None) -> None:
        """`key_file` instead of SHENYAN_KEY; `reason` goes into the audit log."""
        settings = read_remote()
        key = settings.key.get_secret_value() if settings.key else ""
        if key_file is not None:
            try:
                key = key_file.read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                raise typer.BadParameter(f"{key_file}: {error}", param_hint="--key-file") from None
        if not key:
            raise typer.BadParameter("set SHENYAN_KEY, or name a file with the key", param_hint="--key-file")
        headers = [(b"authorization", f"Bearer {key}".encode())]
        if reason:
            headers.append((b"x-audit-reason", reason.encode()))
        self.path = f"/v1/lexicons/{quote(name, safe='')}"
        self._url = settings.url.rstrip("/")
        self._headers = headers

    def ask(self, method: str, path: str = "", *, whole: str | None = None, **how: Any) -> httpx.Response:
        """The answer, when it is a good one. Ends the program, with what was refused on standard error, when it is not."""
        try:
            response = self._send(method, whole or self.path + path, **how)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            fail(f"{self._url}: no answer ({type(error).__name__}); is SHENYAN_URL right?", UNREACHABLE)
        if not response.is_success:
            self._refused(response)
        return response

    def _send(self, method: str, path: str, headers: Mapping[str, str] = {}, **how: Any) -> httpx.Response:
        given = [(name.encode(), value.encode()) for name, value in headers.items()]
        return httpx.request(method, self._url + path, headers=[*self._headers, *given], timeout=SECONDS, **how)

    def _refused(self, response: httpx.Response) -> NoReturn:
        try:
            problem = response.json()
            lines = [problem["detail"], *(each["detail"] for each in problem.get("errors", ()))]
        except (ValueError, KeyError, TypeError):
            lines = [f"{response.url}: HTTP {response.status_code}"]
        fail("\n".join(lines), UNREACHABLE if response.status_code >= 500 else REFUSED)

    def exists(self) -> bool:
        """Whether there is such a lexicon."""
        try:
            return self._send("GET", self.path).status_code != 404
        except (httpx.HTTPError, httpx.InvalidURL):
            return True  # The next request says what is wrong.

    def make(self, name: str) -> None:
        """Makes the lexicon."""
        self.ask("POST", whole="/v1/lexicons", json={"name": name})


def fail(reason: str, code: int = REFUSED) -> NoReturn:
    """Ends the program with `reason` on standard error."""
    sys.stderr.write(f"{reason}\n")
    raise typer.Exit(code)
