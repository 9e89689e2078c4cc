"""`shenyan lexicon …`: a tenant's lexicon kept as a file, in git, and put into a running service from there."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from service.commands.remote import Remote, fail
from service.draft import Change, compare
from service.errors import Malformed
from service.lexicon.exchange import Encoding, Format, Reading, WordDefaults, read_file
from service.lexicon.overlay import Content
from service.vocabulary import CATEGORIES, SEVERITIES, Category, Severity

app = typer.Typer(no_args_is_help=True, help="Terms: the shipped files, and tenants' lexicons in a running service.")
ENDINGS: dict[str, Format] = {".csv": "csv", ".jsonl": "jsonl", ".txt": "words"}
MAX_FILE = 64 * 1024 * 1024
"""Bytes; a service takes less, unless it is set to more."""

Name = Annotated[str, typer.Option("--lexicon", help="The tenant's lexicon.")]
KeyFile = Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="Instead of SHENYAN_KEY.")]
Reason = Annotated[str | None, typer.Option(help="For the audit log.")]
Note = Annotated[str | None, typer.Option(help="For those who read the versions.")]
Form = Annotated[str | None, typer.Option("--format", help="csv, jsonl or words; by default as the name ends, or csv.")]


@app.command("import")
def take(
    file: Annotated[Path, typer.Argument(help="The file; - reads standard input.")],
    name: Name,
    form: Form = None,
    encoding: Annotated[str, typer.Option(help="auto (UTF-8, else GB18030), utf-8 or gb18030.")] = "auto",
    merge: Annotated[bool, typer.Option("--merge", help="Keep what the file does not have.")] = False,
    partial: Annotated[bool, typer.Option("--partial", help="Take what can be taken.")] = False,
    category: Annotated[str | None, typer.Option(help="Of every word of a list.")] = None,
    severity: Annotated[str, typer.Option(help="Of every word of a list.")] = "medium",
    create: Annotated[bool, typer.Option("--create", help="Make the lexicon if there is none.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")] = False,
    reason: Reason = None,
    key_file: KeyFile = None,
) -> None:
    """Make the draft what the file says. Exit code 1 when a line is refused, with a line each; nothing was taken then."""
    wanted, code = format_of(file, form), one_of(encoding, ("auto", "utf-8", "gb18030"), "--encoding")
    severity = one_of(severity, SEVERITIES, "--severity")
    category = category and one_of(category, CATEGORIES, "--category")
    data = read_bytes(file)
    if not data.strip():
        fail(f"{file} is empty")
    reading = read(data, wanted, cast(Encoding, code), category, severity)
    for refused in reading.refused:
        sys.stderr.write(f"line {refused.line}: {refused.reason}\n")
    if reading.refused and not partial:
        fail(f"{len(reading.refused)} of {reading.lines} lines can't be taken, so none was")
    remote = open_remote(name, key_file, reason)
    there = remote.exists()
    if not there and not create:
        fail(f"there is no lexicon {name}; add --create")
    before = read_draft(remote) if there else Content()
    after = merged(before, reading.content) if merge else reading.content
    changes = compare(before, after)
    show(changes)
    if not changes:
        typer.echo("nothing changed")
    elif dry_run:
        typer.echo(f"{len(changes)} changes, not made")
    else:
        if not there:
            remote.make(name)
        query = {"format": wanted, "encoding": code, "mode": "merge" if merge else "replace", "severity": severity}
        query |= {"partial": str(partial).lower()} | ({"category": category} if category else {})
        remote.ask("POST", "/import", params=query, content=data, headers={"Content-Type": "application/octet-stream"})
        typer.echo(f"{len(changes)} changes in the draft of {name}")


@app.command("export")
def give(
    name: Name,
    file: Annotated[Path, typer.Argument(help="The file; - writes standard output.")] = Path("-"),
    form: Form = None,
    encoding: Annotated[str, typer.Option(help="utf-8 or gb18030.")] = "utf-8",
    key_file: KeyFile = None,
) -> None:
    """Write the draft to a file."""
    query = {"format": format_of(file, form), "encoding": one_of(encoding, ("utf-8", "gb18030"), "--encoding")}
    data = open_remote(name, key_file).ask("GET", "/export", params=query).content
    if str(file) == "-":
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    else:
        try:
            file.write_bytes(data)
        except OSError as error:
            raise typer.BadParameter(f"{file}: {error.strerror}", param_hint="FILE") from None


@app.command()
def diff(name: Name, key_file: KeyFile = None) -> None:
    """Show what the draft changes of what is in service."""
    draft = open_remote(name, key_file).ask("GET", "/draft", params={"limit": 1000}).json()
    for each in draft["changes"]:
        typer.echo(f"{SIGNS[each['change']]} {each['kind']} {each['id']}")
    more = len(draft["changes"]) + draft["more_changes"]
    typer.echo(
        f"{more} changes: {draft['version'] or 'nothing'} -> {draft['draft_version']}" if more else "nothing changed"
    )


@app.command()
def publish(name: Name, note: Note = None, reason: Reason = None, key_file: KeyFile = None) -> None:
    """Put the draft in service. Exit code 1 when lint or a case refuses it, with a line each."""
    remote = open_remote(name, key_file, reason)
    looked = remote.ask("GET", "/draft", params={"limit": 1})
    draft = looked.json()
    if draft["version"] == draft["draft_version"]:
        typer.echo(f"nothing changed: {name}@{draft['version']}")
        return
    # What was looked at is what is published, or it is refused.
    headers = {"If-Match": looked.headers["ETag"]}
    made = remote.ask("POST", "/publish", json={"note": note}, headers=headers).json()
    typer.echo(f"{name}@{made['version']}")


@app.command()
def rollback(
    name: Name,
    version: Annotated[str | None, typer.Argument(help="As `versions` lists it; by default the one before.")] = None,
    note: Note = None,
    reason: Reason = None,
    key_file: KeyFile = None,
) -> None:
    """Put an earlier version in service."""
    remote = open_remote(name, key_file, reason)
    present = remote.ask("GET").json()["version"]
    if version and present == f"{name}@{version.rpartition('@')[2]}":
        typer.echo(f"nothing changed: {present}")
        return
    made = remote.ask("POST", "/rollback", json={"version": version, "note": note}).json()
    typer.echo(f"{name}@{made['version']}")


@app.command()
def versions(name: Name, key_file: KeyFile = None) -> None:
    """List what was in service, newest first."""
    for each in open_remote(name, key_file).ask("GET", "/versions", params={"limit": 200}).json()["items"]:
        typer.echo("\t".join((each["published_at"], each["version"], each["action"], each["note"] or "")).rstrip())


SIGNS = {"added": "+", "removed": "-", "changed": "~"}


def lint_draft(name: str, key_file: Path | None) -> int:
    """Prints what is wrong with a draft; 1 when it could not be published."""
    draft: dict[str, Any] = open_remote(name, key_file).ask("GET", "/draft", params={"limit": 0}).json()
    for each in draft["lint"]:
        typer.echo(f"{each['rule']}: {each['subject']}: {each['detail']}{'' if each['blocks'] else ' (advice)'}")
    for each in draft["failed_cases"]:
        case = each["case"]
        typer.echo(f"case: {case['text']} should {case['expect']}, found: {', '.join(each['found']) or 'nothing'}")
    typer.echo("publishable" if draft["publishable"] else "not publishable")
    return 0 if draft["publishable"] else 1


def open_remote(name: str, key_file: Path | None, reason: str | None = None) -> Remote:
    return Remote(name, key_file, reason)


def read(data: bytes, form: Format, encoding: Encoding, category: str | None, severity: str) -> Reading:
    """What the file holds. Ends the program when it can't be read at all."""
    defaults = WordDefaults(cast(Category, category), cast(Severity, severity)) if category else None
    try:
        return read_file(data, form, encoding, defaults)
    except Malformed as error:
        fail(str(error))


def read_draft(remote: Remote) -> Content:
    """The draft in the service."""
    data = remote.ask("GET", "/export", params={"format": "jsonl"}).content
    return read_file(data, "jsonl", "utf-8", None).content


def merged(before: Content, more: Content) -> Content:
    """`before` with what `more` has in place of what bears the same name."""
    terms = {term.id: term for term in (*before.terms, *more.terms)}
    entries = {entry.phrase: entry for entry in (*before.exceptions, *more.exceptions)}
    off = ({*before.terms_off} - {each.id for each in more.terms}) | {*more.terms_off}
    phrases_off = ({*before.exceptions_off} - {each.phrase for each in more.exceptions}) | {*more.exceptions_off}
    return Content(
        terms=tuple(term for key, term in terms.items() if key not in off),
        exceptions=tuple(entry for key, entry in entries.items() if key not in phrases_off),
        terms_off=tuple(off),
        exceptions_off=tuple(phrases_off),
    )


def show(changes: list[Change]) -> None:
    for each in changes:
        typer.echo(f"{SIGNS[each.change]} {each.kind} {each.id}")


def read_bytes(file: Path) -> bytes:
    """The file, or standard input. Never more than can be sent."""
    try:
        with sys.stdin.buffer if str(file) == "-" else file.open("rb") as stream:
            data = stream.read(MAX_FILE + 1)
    except OSError as error:
        raise typer.BadParameter(f"{file}: {error.strerror}", param_hint="FILE") from None
    if len(data) > MAX_FILE:
        fail(f"{file} is over {MAX_FILE:,} bytes; send it in parts")
    return data


def format_of(file: Path, given: str | None) -> Format:
    """As it is said, or as the name ends."""
    return cast(Format, one_of(given or ENDINGS.get(file.suffix, "csv"), ("csv", "jsonl", "words"), "--format"))


def one_of(value: str, known: Sequence[str], option: str) -> str:
    if value not in known:
        raise typer.BadParameter(f"should be one of {', '.join(known)}", param_hint=option)
    return value
