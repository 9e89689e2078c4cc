"""The only reader of the environment: every knob of the service, with its default and what it does.

In: variables whose names begin with `SHENYAN_`. Out: one frozen `Settings`, handed to whoever needs it. A value that
cannot be used, and a name that means nothing, are refused with a sentence that says what would be right.
"""

from __future__ import annotations

import difflib
import os
import re
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "SHENYAN_"
# Scheme and host as browsers write them: lower case, no path, no port that goes without saying.
ORIGIN = re.compile(r"https?://(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[0-9]{1,5})?")
# A Kubernetes service called "shenyan" puts such names into every pod; they are not meant for us.
SERVICE_LINK = re.compile(r"SHENYAN_(SERVICE_(HOST|PORT\w*)|PORT_\w+)")


def shipped_lexicons() -> Path:
    """Where the lexicons of this distribution lie: inside the installed package, else beside it in a checkout."""
    package = Path(__file__).resolve().parent
    packed = package / "_data" / "lexicons"
    return packed if packed.is_dir() else package.parent / "lexicons"


class Settings(BaseSettings):
    """Everything that can be set from outside. Each field is the variable `SHENYAN_<NAME>`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="forbid", frozen=True)

    host: Annotated[str, Field(description="Address to listen on.")] = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535, description="Port to listen on.")] = 8000
    workers: Annotated[int, Field(ge=1, le=256, description="Processes that answer; one for each core is right.")] = 1
    data_dir: Annotated[
        Path, Field(description="Folder for what this instance writes: SQLite file, journal, `admin.key`.")
    ] = Path("var")
    database_url: Annotated[
        str,
        Field(description="`postgresql+asyncpg://user:password@host/name`; unset: `shenyan.db` in the data folder."),
    ] = ""
    redis_url: Annotated[
        str,
        # It may hold a password.
        Field(
            repr=False,
            description="Redis or Valkey for what replicas share; unset: each process keeps its own in memory.",
        ),
    ] = ""
    redis_timeout: Annotated[
        float,
        Field(gt=0, le=5, description="Seconds to wait for Redis before this process's own memory answers."),
    ] = 0.05
    conversation_messages: Annotated[
        int,
        Field(
            ge=0, le=20, description="Earlier messages of a conversation that are read with the present one; 0: none."
        ),
    ] = 4
    conversation_seconds: Annotated[
        float, Field(gt=0, le=3600, description="How old those earlier messages may be, in seconds.")
    ] = 120.0
    conversations_in_memory: Annotated[
        int,
        Field(ge=1, description="Conversations that one process remembers; the least recently used are forgotten."),
    ] = 10_000
    admin_key: Annotated[
        SecretStr | None,
        Field(description="The first admin key, used on an empty database; unset: a random one is written to a file."),
    ] = None
    secret_key: Annotated[
        SecretStr | None,
        Field(description="Seals stored secrets of webhooks and connections; unset: a random one in `secret.key`."),
    ] = None
    lexicon_dir: Annotated[Path, Field(description="Terms, policies and tables to load; unset: the shipped ones.")] = (
        shipped_lexicons()
    )
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"],
        Field(description="The least grave event that is logged."),
    ] = "info"
    slow_seconds: Annotated[float, Field(gt=0, description="A request that takes longer, in seconds, is logged.")] = 1.0
    otlp_endpoint: Annotated[
        str,
        # It may hold a password.
        Field(repr=False, description="Collector for OpenTelemetry traces: `http://host:4318`; unset: no traces."),
    ] = ""
    trace_ratio: Annotated[
        float, Field(ge=0, le=1, description="Share of requests that are traced where the caller does not say.")
    ] = 0.01
    max_in_flight: Annotated[
        int, Field(ge=1, description="Requests that one process works on at once; more are answered 503.")
    ] = 256
    max_body_bytes: Annotated[
        int, Field(ge=1024, description="Largest request body; the default holds five attachments of 5 MiB.")
    ] = 36 * 1024 * 1024
    fetch_images: Annotated[
        bool, Field(description="Fetch pictures that are given by address; else they count as not inspected.")
    ] = False
    fetch_timeout: Annotated[
        float, Field(gt=0, le=30, description="Seconds for fetching one picture, redirects included.")
    ] = 3.0
    fetch_max_bytes: Annotated[
        int, Field(ge=1024, le=5 * 1024 * 1024, description="Largest picture that is fetched.")
    ] = 5 * 1024 * 1024
    fetch_networks: Annotated[
        str,
        Field(description="Private networks to fetch from all the same: `10.1.0.0/16,fd00:1::/32`; unset: none."),
    ] = ""
    webhook_networks: Annotated[
        str,
        Field(description="Private networks that webhooks may go to, by http, too: `10.1.0.0/16`; unset: none."),
    ] = ""
    webhook_give_up_days: Annotated[
        float, Field(gt=0, description="Days of nothing but failures after which a webhook endpoint is switched off.")
    ] = 3.0
    webhook_keep_days: Annotated[
        int, Field(ge=1, description="Days for which deliveries are kept; those that were given up are kept for 90.")
    ] = 30
    public_url: Annotated[
        str, Field(description="Where browsers reach this service, for links in chat groups; unset: no links.")
    ] = ""
    record_timeout: Annotated[
        float,
        Field(gt=0, le=60, description="Seconds to wait for the database; then the journal keeps an incident."),
    ] = 1.0
    journal_bytes: Annotated[
        int,
        Field(ge=1 << 20, description="Most that one process keeps in its journal while the database is out."),
    ] = 512 * 1024 * 1024
    stale_seconds: Annotated[
        float,
        Field(ge=0, description="Seconds for which known keys and shops are good while the database is out."),
    ] = 900.0
    incident_days: Annotated[
        int, Field(ge=1, description="Days for which an incident is kept; what it cost stays in the ledger.")
    ] = 730
    reply_days: Annotated[
        int, Field(ge=1, description="Days for which the answer to a message is kept for retries of the same id.")
    ] = 30
    keep_evidence: Annotated[
        bool, Field(description="Keep card, account, ID and phone numbers readable in what is stored.")
    ] = False

    cors_origins: Annotated[
        str,
        Field(
            description="Origins whose pages may ask from a browser: `https://chat.example.com`, several with commas."
        ),
    ] = ""
    demo: Annotated[bool, Field(description="Serve the demo page at `/demo`.")] = True

    @field_validator("admin_key")
    @classmethod
    def fits_a_header(cls, key: SecretStr | None) -> SecretStr | None:
        if key is not None and not re.fullmatch(r"[\x21-\x7e]{1,256}", key.get_secret_value()):
            raise ValueError("should be 1 to 256 printable ASCII characters without blanks")
        return key

    @field_validator("secret_key")
    @classmethod
    def is_hard_to_guess(cls, key: SecretStr | None) -> SecretStr | None:
        if key is not None and any(len(part.strip()) < 16 for part in key.get_secret_value().split(",")):
            raise ValueError("should be at least 16 characters; several with commas, the one to seal with first")
        return key

    @field_validator("redis_url")
    @classmethod
    def names_a_server(cls, url: str) -> str:
        if url and not url.startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("should be redis://[:password@]host:port/number, rediss://... or unix:///path")
        return url

    @field_validator("otlp_endpoint")
    @classmethod
    def names_a_collector(cls, url: str) -> str:
        if url and not url.startswith(("http://", "https://")):
            raise ValueError("should be http://host:port or https://host:port; traces go to /v1/traces below it")
        return url

    @field_validator("public_url")
    @classmethod
    def is_an_address(cls, url: str) -> str:
        if url and not url.startswith(("http://", "https://")):
            raise ValueError("should be http://host or https://host")
        return url

    @field_validator("fetch_networks", "webhook_networks")
    @classmethod
    def names_networks(cls, networks: str) -> str:
        for part in filter(None, map(str.strip, networks.split(","))):
            try:
                ip_network(part)
            except ValueError:
                raise ValueError(
                    f"{part} is no network; write 10.1.0.0/16 or fd00:1::/32, several with commas"
                ) from None
        return networks

    @field_validator("cors_origins")
    @classmethod
    def names_origins(cls, origins: str) -> str:
        for part in filter(None, map(str.strip, origins.split(","))):
            if not ORIGIN.fullmatch(part):
                raise ValueError(
                    f"{part} is no origin; write https://chat.example.com without a path, several with commas"
                )
        return origins

    @field_validator("log_level", mode="before")
    @classmethod
    def any_case(cls, level: object) -> object:
        return level.lower() if isinstance(level, str) else level

    @model_validator(mode="after")
    def store_has_a_place(self) -> Self:
        if not self.database_url:
            file = (self.data_dir / "shenyan.db").absolute()
            object.__setattr__(self, "database_url", f"sqlite+aiosqlite:///{file}")
        return self

    @property
    def origins(self) -> frozenset[str]:
        """The origins of `cors_origins`."""
        return frozenset(filter(None, map(str.strip, self.cors_origins.split(","))))

    @property
    def key_file(self) -> Path:
        """Where a random first admin key is written."""
        return self.data_dir / "admin.key"

    @property
    def secret_file(self) -> Path:
        """Where a random key for stored secrets is kept."""
        return self.data_dir / "secret.key"

    @property
    def journal_dir(self) -> Path:
        """Where incidents are kept that the database could not take."""
        return self.data_dir / "journal"

    @property
    def cache_dir(self) -> Path:
        """Where what can be computed anew is kept, for a quicker start."""
        return self.data_dir / "cache"

    @property
    def metrics_dir(self) -> Path:
        """Where several workers add up their metrics."""
        return self.data_dir / "metrics"


class Remote(BaseSettings):
    """Where the command line finds a running service, for `shenyan lexicon`. Each field is the variable `SHENYAN_<NAME>`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="ignore", frozen=True)

    url: str = "http://127.0.0.1:8000"
    key: SecretStr | None = None


def read_remote() -> Remote:
    """Where the service is, and the key for it."""
    return Remote()


def read_settings() -> Settings:
    """The settings of this process.

    Raises ValueError with one line for each variable that is wrong or unknown.
    """
    known = {PREFIX + name.upper() for kind in (Settings, Remote) for name in kind.model_fields}
    wrong = [
        f"{name}: no such setting{_did_you_mean(name, known)}"
        for name in sorted(os.environ)
        if name.startswith(PREFIX) and name not in known and not SERVICE_LINK.fullmatch(name)
    ]
    try:
        settings = Settings()
    except ValidationError as error:
        wrong += [f"{PREFIX}{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors() if e["loc"]]
        raise ValueError("\n".join(wrong)) from None
    if wrong:
        raise ValueError("\n".join(wrong))
    return settings


def _did_you_mean(name: str, known: set[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]}?" if close else f"; there are {', '.join(sorted(known))}"
