"""The command `shenyan`: one function for each thing to do; what goes wrong is a sentence on standard error."""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path
from typing import Annotated, BinaryIO, NoReturn, cast, get_args

import typer

from service.api.access import RATE_LIMIT
from service.api.serve import serve as serve_http
from service.api.start import open_database
from service.clock import SystemClock
from service.commands.lexicon import KeyFile, lint_draft
from service.commands.lexicon import app as lexicon
from service.engine import Engine
from service.errors import DataError, ShenyanError
from service.lexicon.load import load_snapshot
from service.lint import lint
from service.live import load_live
from service.record.keys import DEFAULT_TENANT, Role, create_key
from service.record.migrate import upgrade
from service.settings import Settings, read_settings
from service.show import show_decision
from service.text.message import MAX_TEXT, Message
from service.vocabulary import ACTION_RANK, CHANNELS, PLATFORMS

MAX_NAME = 128
"""Characters of a key's and a tenant's name."""

MAX_INPUT = 4 * MAX_TEXT + 8
"""Bytes of standard input that are read: more than the longest message, its byte order mark and its line end have."""
TOO_LONG = f"the message is longer than {MAX_TEXT} characters; nothing is cut off unread, so send it in parts"

app = typer.Typer(
    name="shenyan",
    help="Checks what a customer-service agent is about to send, before the customer sees it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
keys = typer.Typer(no_args_is_help=True, help="API keys.")
app.add_typer(keys, name="keys")
app.add_typer(lexicon, name="lexicon")


@app.command()
def serve() -> None:
    """Answer on SHENYAN_HOST:SHENYAN_PORT until stopped."""
    serve_http(settings())


@app.command()
def migrate() -> None:
    """Bring the database's tables to what this version needs."""
    upgrade(settings().database_url)
    typer.echo("The database is up to date.")


@app.command()
def check(
    text: Annotated[str, typer.Argument(help="The message; - or nothing reads standard input.")] = "-",
    platform: Annotated[str, typer.Option(help=f"One of {', '.join(PLATFORMS)}.")] = "generic",
    channel: Annotated[str, typer.Option(help=f"One of {', '.join(CHANNELS)}.")] = "chat",
    explain: Annotated[bool, typer.Option("--explain", help="Show what was dismissed, too.")] = False,
) -> None:
    """Check one message. Exit code 0: allow, 1: warn, 2: block; 3: it could not be checked."""
    if platform not in PLATFORMS:
        refuse(f"--platform should be one of {', '.join(PLATFORMS)}")
    if channel not in CHANNELS:
        refuse(f"--channel should be one of {', '.join(CHANNELS)}")
    message = text if text != "-" else read_message(sys.stdin.buffer)
    if not message.strip():
        refuse("the message is empty; give it as an argument or on standard input")
    if len(message) > MAX_TEXT:
        refuse(TOO_LONG)
    today = SystemClock().now().date()
    try:
        engine = load_live(settings().lexicon_dir, settings().cache_dir).engine
    except DataError as error:
        refuse(str(error))
    decision = engine.decide(Message(message, platform, channel, today))
    typer.echo(show_decision(message, decision, explain=explain))
    raise typer.Exit(ACTION_RANK[decision.action])


def read_message(stream: BinaryIO) -> str:
    """The message on `stream`, without the line end behind it. What isn't UTF-8, such as GBK, would be read as nothing
    but question marks and allowed, so it is refused.
    """
    data = stream.read(MAX_INPUT)
    try:
        return data.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError:
        if len(data) == MAX_INPUT:
            refuse(TOO_LONG)
        refuse("standard input is not UTF-8; convert it first, such as with `iconv -f GBK -t UTF-8`")


def refuse(reason: str) -> NoReturn:
    """Exit code 3: it was not checked, which is neither allow nor block."""
    typer.echo(reason, err=True)
    raise typer.Exit(3)


@lexicon.command("lint")
def lint_lexicon(
    folder: Annotated[Path | None, typer.Argument(help="Folder with terms/; the one in service by default.")] = None,
    name: Annotated[str | None, typer.Option("--lexicon", help="A tenant's, in a running service.")] = None,
    key_file: KeyFile = None,
) -> None:
    """Prove a lexicon by its own examples. Exit code 1 when something is wrong, with a line each."""
    if name is not None:
        raise typer.Exit(lint_draft(name, key_file))
    snapshot = load_snapshot(folder or settings().lexicon_dir)
    complaints = lint(snapshot, Engine.compile(snapshot))
    for complaint in complaints:
        typer.echo(str(complaint))
    typer.echo(f"{len(snapshot.terms)} terms, {len(snapshot.corpus)} ordinary sentences, {len(complaints)} complaints")
    raise typer.Exit(1 if complaints else 0)


@keys.command("create")
def create(
    name: Annotated[str, typer.Argument(help="What to call it, 1 to 128 characters.")],
    role: Annotated[str, typer.Option(help="client, editor, supervisor or admin.")] = "client",
    rate_limit: Annotated[str | None, typer.Option(help="Such as 100/second; none by default.")] = None,
    tenant: Annotated[str, typer.Option(help="Whose key; a new tenant is created.")] = DEFAULT_TENANT,
) -> None:
    """Make a key and print it: it is shown only now, and stored nowhere."""
    if role not in get_args(Role):
        raise typer.BadParameter(f"should be one of {', '.join(get_args(Role))}", param_hint="--role")
    if rate_limit is not None and not re.match(RATE_LIMIT, rate_limit):
        raise typer.BadParameter("should be like 100/second", param_hint="--rate-limit")
    for option, value in (("NAME", name), ("--tenant", tenant)):
        if not value.strip() or len(value) > MAX_NAME:
            raise typer.BadParameter(f"should have 1 to {MAX_NAME} characters", param_hint=option)
    plain = asyncio.run(_create_key(settings(), name, cast(Role, role), rate_limit, tenant))
    typer.echo(plain)


def settings() -> Settings:
    """The settings of the environment. Raises DataError with a line for each that is wrong."""
    try:
        return read_settings()
    except ValueError as error:
        raise DataError(str(error)) from None


async def _create_key(using: Settings, name: str, role: Role, rate_limit: str | None, tenant: str) -> str:
    database = await open_database(using, SystemClock())
    try:
        _, plain = await create_key(database, tenant, name, role, rate_limit, SystemClock().now())
    finally:
        await database.close()
    return plain


def main() -> None:
    """Runs the command line; the entry point of the console script."""
    try:
        app()
    except ShenyanError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(1)
