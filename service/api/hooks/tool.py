"""What a chat tool is to us: how its calls are proved, read and answered. One `Tool` per file of this folder.

    Call -> verify -> payload -> read -> Reading -> (each message checked) -> Checked -> answer -> Reply

All three are plain functions without I/O: the road around them (`receive.py`) reads the body once, looks up the
connection, remembers what was seen, keeps the deadline and applies the fail action.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import httpx
import msgspec

from service.errors import Unauthorized
from service.record.outcome import Outcome

Delivery = Literal["before", "after"]
"""Whether the customer has not yet seen the message when the tool calls us, or has."""


class Forged(Unauthorized):
    """A call whose signature, token or time is wrong: nothing in it is read. The sentence says which, never the secret."""

    code = "hook_refused"


@dataclass(frozen=True, slots=True)
class Call:
    """A request as it came in."""

    method: str
    rest: str
    """What the tool put behind our address, without the slash: OpenIM appends its command. "" for most."""
    query: Mapping[str, str]
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes
    """The exact bytes, which is what signatures are of."""
    now: datetime


class TokenSecret(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The secret of most tools: one string. In the API it may be given as that string."""

    value: str


class HookSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What every connection can be told; a tool's own settings derive from it."""

    agents: tuple[str, ...] = ()
    """Ids of the senders that are agents, as the tool spells them; `kefu_*` stands for all that begin so. Empty: every
    sender whom the tool does not call a customer, bot or system.
    """
    require_token: bool = False
    """The address must hold the connection's random token, in its path or as `?token=`. Wise wherever the signature does
    not cover the body.
    """
    rewrite: bool = False
    """Deliver the masked text instead of refusing, where the tool can (`Tool.rewrites`) and masking takes all away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """One message to check, in our words."""

    text: str
    """As the customer reads it: markup stripped, parts joined by a line feed."""
    agent_id: str
    delivery_id: str
    """What stays the same when the tool sends the same message again: the key of its stored answer."""
    conversation_id: str | None = None
    customer_id: str | None = None
    message_id: str | None = None
    sent_at: datetime | None = None
    shop_id: str | None = None
    """Where the payload names the shop; else the connection's."""
    image_urls: tuple[str, ...] = ()
    uninspected: tuple[str, ...] = ()
    """For `degraded`: each part that nobody can look into, such as `voice: not inspected`."""
    after_delivery: bool | None = None
    """For a tool that calls both before and after; None: as its `delivery` says."""
    is_edit: bool = False
    """The delivery id of an edit differs from the message's own: it is checked as one more message."""
    id_is_signed: bool = False
    """Whether the signature covers `delivery_id`: then other content under the same id is a forgery. Elsewhere it is
    checked as a message of its own, for some tools let the sender choose the id.
    """
    reference: Mapping[str, Any] = field(default_factory=dict)
    """What `follow_up` and `rewrite` need to find the message in the tool again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the tool is answered."""

    content: Any = None
    """Encoded as JSON; bytes go out as they are; None is an empty body."""
    status: int = 200
    media_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a call holds."""

    messages: tuple[Incoming, ...] = ()
    ignored: str | None = None
    """Why there is nothing to check, in the field's words: `customer`, `bot`, `system`, `private note`, `unknown event`."""
    reply: Reply | None = None
    """The answer where the tool only shakes hands: a challenge, an echo."""
    pull: Mapping[str, str] | None = None
    """Where the call says only that there is news: what `Tool.pull` needs to fetch it, after the answer."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What became of one message. Without an outcome the deadline passed or the store hung: `action` is the fail action."""

    message: Incoming
    action: Literal["allow", "warn", "block"]
    outcome: Outcome | None
    agent_message: str = ""
    """For the agent, in the connection's language: platform clause and what to do. "" for an allow."""
    suggestion: str = ""
    masked_text: str = ""
    rewrite: bool = False
    """`masked_text` is to be delivered in place of the text; set on a block, and only where `Tool.rewrites`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulling:
    """One fetch of messages that a call announced."""

    what: Mapping[str, str]
    """`Reading.pull`; its `account` has a cursor of its own."""
    cursor: str
    """Up to where was fetched before; "" at first."""
    tokens: MutableMapping[str, str]
    """What the tool's API lends us for a while, kept between fetches of a connection."""
    client: httpx.AsyncClient


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What one fetch brought."""

    messages: tuple[Incoming, ...]
    cursor: str
    has_more: bool


Pull = Callable[[Pulling, Any, Any], Awaitable[Page]]
"""(pulling, secret, settings) -> the next page. Raises httpx errors; retried."""
FollowUp = Callable[[Checked, Any, Any, httpx.AsyncClient], Awaitable[None]]
"""(checked, secret, settings, client): leaves a private note or takes the message back. Raises httpx errors; retried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """One chat server or helpdesk."""

    provider: str
    delivery: Delivery
    deadline_ms: int
    """Within which we answer unless the connection says otherwise; well inside what the tool waits."""
    secret: type[msgspec.Struct] | None = TokenSecret
    """Shape of the secret; None where the tool proves nothing and the address itself must be unguessable."""
    secret_optional: bool = False
    """The tool can be told not to sign: then `verify` is handed None as the secret."""
    settings: type[HookSettings] = HookSettings
    verify: Callable[[Call, Any, Any], Any]
    """(call, secret, settings) -> the payload: parsed, decrypted where the tool encrypts. Raises Forged, or BadRequest
    for a proven call that can't be read.
    """
    read: Callable[[Any, Call, Any], Reading]
    """(payload, call, settings) -> what is in it. Unknown events are `ignored`, never an error."""
    answer: Callable[[tuple[Checked, ...], Call, Any], Reply] = lambda checked, call, settings: Reply(content={})
    """(all messages of the call as they were checked, call, settings) -> the tool's own words."""
    refusal_status: int = 401
    """The status of a refused call, for tools that disable a hook on 4xx."""
    rewrites: bool = False
    """Whether the answer can change the text; then the setting `rewrite` may ask for masking instead of a refusal."""
    follow_up: FollowUp | None = None
    pull: Pull | None = None
    sample: Callable[[str], Any] | None = None
    """(text) -> a payload as `verify` returns it, of an agent's message with that text: what a connection's test runs."""
    experimental: tuple[str, ...] = ()
    """What of this tool's format nobody has verified against a real account; shown in the API and the docs."""
