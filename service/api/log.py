"""Log lines as JSON on standard error: ours, and those of the libraries in the same form.

Events have names, ids and figures in them, never a text or a key. A library may put anything into its words, so only the
server's own are passed on; of the others a line says who spoke, how gravely, and where it went wrong.
"""

from __future__ import annotations

import logging
import sys
import traceback
from datetime import UTC, datetime
from time import monotonic
from typing import Any

import msgspec
import structlog
from structlog.typing import FilteringBoundLogger

REFUSALS = frozenset({401, 403, 429, 503})
"""Statuses that come in floods: one line each in `SAMPLE_SECONDS`, with how many there were."""
SAMPLE_SECONDS = 10.0


def make_log(level: str) -> FilteringBoundLogger:
    """A logger of its own; nothing global is configured."""
    log: FilteringBoundLogger = structlog.wrap_logger(
        structlog.WriteLogger(sys.stderr),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
    )
    return log


def place_of_crash(error: BaseException) -> dict[str, Any]:
    """What may be logged of an unexpected exception: its type, and the files and lines it went through."""
    frames = traceback.extract_tb(error.__traceback__)
    return {
        "exception": type(error).__name__,
        "at": [f"{frame.filename.rsplit('/service/', 1)[-1]}:{frame.lineno} {frame.name}" for frame in frames[-8:]],
    }


class JsonLines(logging.Formatter):
    """Lines of the standard library's logging in the form of our own."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {"event": "server" if record.name.startswith("uvicorn") else "library"}
        if record.name.startswith("uvicorn") and not record.exc_info:
            line["message"] = record.getMessage()
        if record.exc_info and record.exc_info[1] is not None:
            line |= place_of_crash(record.exc_info[1])
        line |= {"logger": record.name, "level": record.levelname.lower()}
        line["timestamp"] = datetime.fromtimestamp(record.created, UTC).isoformat().replace("+00:00", "Z")
        return msgspec.json.encode(line).decode()


def server_logging(level: str) -> dict[str, Any]:
    """For `logging.config.dictConfig`: everything as JSON on standard error, libraries from warnings on."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": "service.api.log.JsonLines"}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json", "stream": "ext://sys.stderr"}},
        "root": {"handlers": ["stderr"], "level": "WARNING"},
        "loggers": {"uvicorn": {"level": level.upper()}, "uvicorn.error": {"level": level.upper()}},
    }


class Notices:
    """Which of the answered requests get a line: failures, refusals (sampled), and what took long."""

    def __init__(self, log: FilteringBoundLogger, slow_seconds: float) -> None:
        self.slow_seconds = slow_seconds
        self._log = log
        self._since: dict[int, tuple[float, int]] = {}

    def look(self, scope: Any, status: int, seconds: float) -> None:
        """One request that was answered slowly, or with a status of 400 or more."""
        about = {
            "request_id": scope["state"]["request_id"],
            "method": scope["method"],
            "route": route_of(scope),
            "status": status,
            "ms": round(seconds * 1000, 3),
        }
        if status in REFUSALS:
            at, skipped = self._since.get(status, (float("-inf"), 0))
            now = monotonic()
            if now - at < SAMPLE_SECONDS:
                self._since[status] = (at, skipped + 1)
                return
            self._since[status] = (now, 0)
            self._log.warning("refused", skipped_before=skipped, **about)
        elif status >= 500:
            self._log.error("failed", **about)
        elif seconds > self.slow_seconds:
            self._log.warning("slow", **about)


def route_of(scope: Any) -> str:
    """The path as it was declared: what stands in its place in a request may be anything."""
    declared = getattr(scope.get("route"), "path", None)
    return str(declared) if declared is not None else str(scope.get("hot_path", "other"))
