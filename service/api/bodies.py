"""What clients send to the routes that carry the load. The schemas of the OpenAPI document are made from these."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from service.errors import Malformed, Problem
from service.text.message import MAX_TEXT
from service.vocabulary import Channel, Platform

MAX_ATTACHMENTS = 5
MAX_BATCH = 100
# 5 MiB in base64.
MAX_IMAGE_BASE64 = (5 * 1024 * 1024 + 2) // 3 * 4
# Outside of these years a date can't be moved between time zones safely, and no message is sent there.
FIRST_YEAR, LAST_YEAR = 2000, 2199

Id = Annotated[str, Meta(min_length=1, max_length=128)]
Text = Annotated[str, Meta(max_length=MAX_TEXT, description="As typed; the limit counts code points.")]


class Attachment(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A picture, by value or by address: exactly one of `data` and `url`."""

    type: Literal["image"]
    data: Annotated[str, Meta(max_length=MAX_IMAGE_BASE64, description="base64, at most 5 MiB decoded")] | None = None
    url: (
        Annotated[
            str,
            Meta(
                max_length=2048,
                pattern="^https?://",
                description="Fetched only where that is switched on; else `degraded` says so in the answer.",
            ),
        ]
        | None
    ) = None


class AnalyzeBody(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """One outgoing message."""

    text: Text = ""
    platform: Platform
    shop_id: Id | None = None
    agent_id: Id | None = None
    conversation_id: (
        Annotated[Id, Meta(description="Where words may be split over several messages; else those to the customer.")]
        | None
    ) = None
    customer_id: Annotated[Id, Meta(description="Whom too many messages disturb; else the conversation.")] | None = None
    message_id: Annotated[Id, Meta(description="The client's id, unique in the tenant; makes retries safe.")] | None = (
        None
    )
    channel: Channel = "chat"
    attachments: Annotated[list[Attachment], Meta(max_length=MAX_ATTACHMENTS)] = []
    sent_at: (
        Annotated[datetime, Meta(tz=True, description="RFC 3339 with offset, years 2000 to 2199; default now.")] | None
    ) = None
    explain: Annotated[bool, Meta(description="Adds `dismissed` to the answer.")] = False


class ModerateBody(AnalyzeBody, forbid_unknown_fields=True, kw_only=True):
    """One outgoing message, with who sent it."""

    shop_id: Id
    agent_id: Id


class BatchBody(msgspec.Struct, forbid_unknown_fields=True):
    """Several messages; each is answered by itself, so each is decoded by itself."""

    messages: Annotated[list[msgspec.Raw], Meta(min_length=1, max_length=MAX_BATCH)]


class TextPart(msgspec.Struct, forbid_unknown_fields=True, tag_field="type", tag="text"):
    """One piece of a multi-modal input."""

    text: Text


class ModerationsBody(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The OpenAI moderation shape."""

    input: Text | Annotated[list[Text | TextPart], Meta(min_length=1, max_length=MAX_BATCH)]
    model: Annotated[str, Meta(max_length=128, description="Accepted and not used.")] | None = None


def check_message(body: AnalyzeBody) -> None:
    """What a schema can't say. Raises Malformed with every place that is wrong."""
    problems = []
    if not body.attachments and (not body.text or body.text.isspace()):
        problems.append(Problem("/text", "is empty; send a text, an attachment, or both"))
    for index, attachment in enumerate(body.attachments):
        if (attachment.data is None) == (attachment.url is None):
            problems.append(Problem(f"/attachments/{index}", "needs exactly one of data and url"))
    if body.sent_at is not None and not FIRST_YEAR <= body.sent_at.year <= LAST_YEAR:
        problems.append(Problem("/sent_at", f"should lie in the years {FIRST_YEAR} to {LAST_YEAR}"))
    if problems:
        raise Malformed("The message is not of the documented shape.", problems=problems)
