"""Freshdesk: an automation's webhook, with the body and the header that our documentation gives. Nothing is signed.

Source: Freshdesk's support article on webhooks in automations (132589).
"""

from __future__ import annotations

from base64 import b64encode
from html import escape
from typing import Any

from service.api.hooks.html import pictures_of, text_of
from service.api.hooks.parts import sort_media, version_id
from service.api.hooks.payload import dig, is_agent, text_at
from service.api.hooks.proofs import json_object, require
from service.api.hooks.tool import Call, HookSettings, Incoming, Reading, TokenSecret, Tool


def verify(call: Call, secret: TokenSecret, settings: HookSettings) -> dict[str, Any]:
    given = call.headers.get("authorization", "")
    if given.startswith("Basic "):
        expected = "Basic " + b64encode(secret.value.encode()).decode()
        require(given, expected, "header Authorization")
    else:
        require(call.headers.get("x-webhook-token"), secret.value, "header X-Webhook-Token")
    return json_object(call.body)


def read(payload: Any, call: Call, settings: HookSettings) -> Reading:
    # The product's own template has a wrapper, one that an admin wrote may have none.
    fields = dig(payload, "freshdesk_webhook") or payload
    ticket, markup = text_at(fields, "ticket_id"), text_at(fields, "ticket_latest_public_comment")
    if not ticket or not markup:
        return Reading(ignored="unknown event")
    name = text_at(fields, "ticket_agent_name")
    agent = text_at(fields, "ticket_agent_email") or name
    if not is_agent(agent, settings):
        return Reading(ignored="customer")
    author, colon, rest_of_it = text_of(markup).partition(" : ")
    # The placeholder begins with who wrote. Somebody else than the ticket's agent may be the customer or a colleague:
    # without names to tell them by, it is checked.
    text = rest_of_it if colon and author == name else text_of(markup)
    pictures, rest = sort_media(("image", url) for url in pictures_of(markup))
    message = Incoming(
        text=text,
        agent_id=agent,
        # There is no id of the comment.
        delivery_id=version_id(ticket, text, *pictures),
        conversation_id=ticket,
        image_urls=pictures,
        uninspected=rest,
    )
    return Reading(messages=(message,))


def sample(text: str) -> dict[str, Any]:
    return {"ticket_id": 1, "ticket_agent_email": "agent@example.com", "ticket_latest_public_comment": escape(text)}


TOOL = Tool(
    provider="freshdesk",
    delivery="after",
    deadline_ms=4_000,
    verify=verify,
    read=read,
    sample=sample,
    experimental=("the wrapper `freshdesk_webhook`", "how often it tries again"),
)
