"""The server process: everything that can go wrong at start goes wrong here, in words, before a port answers."""

from __future__ import annotations

import asyncio
import logging
import shutil
import signal
import socket
import sys
import threading
from functools import partial
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from types import FrameType
from typing import Any

import uvicorn
from fastapi import FastAPI
from uvicorn.supervisors import Multiprocess

from service.api.app import create_app
from service.api.log import server_logging
from service.api.start import compile_live, open_database, prepare_folder
from service.clock import SystemClock
from service.errors import ShenyanError
from service.settings import Settings

GRACE_SECONDS = 5
"""How long requests may still take after a signal to stop."""
KEEP_ALIVE_SECONDS = 30
CURL = """curl -s {url}/v1/moderate -H "Authorization: Bearer {key}" -H 'Content-Type: application/json' \
-d '{{"text": "加薇.信号abc123", "platform": "pinduoduo", "shop_id": "s1", "agent_id": "a1"}}'"""


def serve(settings: Settings) -> None:
    """Answers until it is told to stop.

    Raises DataError for bad data files or a folder that can't be written, Unavailable for a database that does not
    answer, ShenyanError for a port that is taken.
    """
    # uvicorn stops in good order and then raises the signal again; the end it asked for is a success.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    prepare_folder(settings.data_dir)
    listening = listen(settings.host, settings.port)
    try:
        live = compile_live(settings)
        asyncio.run(_prepare(settings))
        threading.Thread(target=announce, args=(settings,), daemon=True).start()
        if settings.workers == 1:
            server = Server(config_of(settings, partial(create_app, settings, live, served=True)))
            server.run(sockets=[listening])
            return
        share_metrics(settings.metrics_dir)
        # Each worker is a new process: it reads the settings and compiles the data files for itself.
        config = config_of(settings, "service.api.serve:worker_app")
        Multiprocess(config, sockets=[listening]).run()
    finally:
        listening.close()


class Server(uvicorn.Server):
    """Says why it stops, as the parent of several workers does."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        logging.getLogger("uvicorn.error").info("Received %s, exiting.", signal.Signals(sig).name)
        super().handle_exit(sig, frame)


def worker_app() -> FastAPI:
    """The application of one of several workers."""
    return create_app(served=True)


def config_of(settings: Settings, app: Any) -> uvicorn.Config:
    """uvicorn without its access log, which costs a third of the throughput."""
    return uvicorn.Config(
        app,
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        log_config=server_logging(settings.log_level),
        log_level=settings.log_level,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises ShenyanError, with what to do, when the address can't be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(2048)
    except OSError as error:
        listening.close()
        raise ShenyanError(
            f"can't listen on {host}:{port} ({error.strerror}); "
            "stop what is using it, or set SHENYAN_HOST and SHENYAN_PORT to another address"
        ) from error
    listening.set_inheritable(True)
    return listening


async def _prepare(settings: Settings) -> None:
    await (await open_database(settings, SystemClock())).close()


def share_metrics(folder: Path) -> None:
    """Several workers add up their figures in a folder, which begins empty."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


def announce(settings: Settings) -> None:
    """Says, once the service answers, where the key is and what to try. The socket listens already, so this waits."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104
    url = f"http://[{host}]:{settings.port}" if ":" in host else f"http://{host}:{settings.port}"
    connection = HTTPConnection(host, settings.port, timeout=120)
    try:
        connection.request("GET", "/livez")
        connection.getresponse()
    except (OSError, HTTPException):
        return
    finally:
        connection.close()
    sys.stdout.write(greeting(settings, url))
    sys.stdout.flush()


def greeting(settings: Settings, url: str) -> str:
    """Where the service is, where its admin key is (never the key itself), and a line to try."""
    if settings.admin_key:
        where, key = "from SHENYAN_ADMIN_KEY", "$SHENYAN_ADMIN_KEY"
    else:
        where, key = str(settings.key_file), f"$(cat {settings.key_file})"
    return f"Shenyan answers on {url} (docs: {url}/docs)\nAdmin key: {where}\nTry:\n  {CURL.format(url=url, key=key)}\n"
