"""`/demo` and the four files it is made of. They are read once; nothing in them comes from a request."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

HERE = Path(__file__).parent
CLIENTS = HERE.parent.parent / "clients"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    # Kept, but asked about each time: after an upgrade nobody runs the old script.
    "Cache-Control": "no-cache",
}
FILES = {
    "/demo": (HERE / "index.html", "text/html; charset=utf-8"),
    "/demo/demo.css": (HERE / "demo.css", "text/css; charset=utf-8"),
    "/demo/demo.js": (HERE / "demo.js", "text/javascript; charset=utf-8"),
    "/demo/shenyan.js": (CLIENTS / "shenyan.js", "text/javascript; charset=utf-8"),
}


@dataclass(frozen=True, slots=True)
class Page:
    """A file as it is sent."""

    content: bytes
    media_type: str
    etag: str

    async def __call__(self, request: Request) -> Response:
        """The file, or 304 to whoever has it."""
        headers = {**HEADERS, "ETag": self.etag}
        known = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
        if self.etag in known or "*" in known:
            return Response(status_code=304, headers=headers)
        return Response(self.content, headers=headers, media_type=self.media_type)


def read_page(path: Path, media_type: str) -> Page:
    content = path.read_bytes()
    return Page(content, media_type, f'"{sha256(content).hexdigest()[:16]}"')


def demo_routes() -> list[Route]:
    """A route for each file; they answer GET and HEAD."""
    return [Route(path, read_page(*file).__call__, methods=["GET"]) for path, file in FILES.items()]
