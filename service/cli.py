"""The command `shenyan`: one function for each thing to do; what goes wrong is one sentence on standard error, exit 1."""

from __future__ import annotations

import asyncio
import sys
from typing import Annotated, cast, get_args

import typer

from service.api.serve import serve as serve_http
from service.clock import SystemClock
from service.errors import DataError, ShenyanError
from service.record.database import Database
from service.record.keys import DEFAULT_TENANT, Role, create_key
from service.record.migrate import upgrade
from service.settings import Settings, read_settings

app = typer.Typer(
    name="shenyan",
    help="Checks what a customer-service agent is about to send, before the customer sees it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
keys = typer.Typer(no_args_is_help=True, help="API keys.")
app.add_typer(keys, name="keys")


@app.command()
def serve() -> None:
    """Answer on SHENYAN_HOST:SHENYAN_PORT until stopped."""
    serve_http(settings())


@app.command()
def migrate() -> None:
    """Bring the database's tables to what this version needs."""
    upgrade(settings().database_url)
    typer.echo("The database is up to date.")


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
    plain = asyncio.run(_create_key(settings(), name, cast(Role, role), rate_limit, tenant))
    typer.echo(plain)


def settings() -> Settings:
    """The settings of the environment. Raises DataError with a line for each that is wrong."""
    try:
        return read_settings()
    except ValueError as error:
        raise DataError(str(error)) from None


async def _create_key(using: Settings, name: str, role: Role, rate_limit: str | None, tenant: str) -> str:
    database = await Database.open(using.database_url)
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
