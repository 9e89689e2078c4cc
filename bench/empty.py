"""What the service is compared with: a FastAPI endpoint with a body like ours that does nothing, or asks a peer.

python -m bench.empty PORT [PEER]
"""

from __future__ import annotations

import sys
from datetime import datetime
from functools import partial
from typing import Annotated, Literal

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field

from bench.peers import Flags, load_peers
from service.api.serve import config_of
from service.lexicon.load import load_snapshot
from service.settings import Settings, shipped_lexicons
from service.vocabulary import Channel, Platform

Id = Annotated[str, Field(min_length=1, max_length=128)]


class Picture(BaseModel):
    model_config = ConfigDict(extra="forbid")

    type: Literal["image"]
    data: str | None = None
    url: str | None = None


class Body(BaseModel):
    """The fields and limits of the service's own body."""

    model_config = ConfigDict(extra="forbid")

    text: Annotated[str, Field(max_length=10_000)] = ""
    platform: Platform
    shop_id: Id
    agent_id: Id
    conversation_id: Id | None = None
    customer_id: Id | None = None
    message_id: Id | None = None
    channel: Channel = "chat"
    attachments: Annotated[list[Picture], Field(max_length=5)] = []
    sent_at: datetime | None = None
    explain: bool = False


def flags_of(name: str) -> Flags:
    """One of `bench.peers`, loaded with the shipped terms."""
    peers, _ = load_peers(load_snapshot(shipped_lexicons()))
    return next(peer.flags for peer in peers if peer.name == name)


def make_app(flags: Flags) -> FastAPI:
    app = FastAPI()

    # Without a model for the answer, which would cost it more.
    @app.post("/v1/moderate", response_model=None)
    async def moderate(body: Body) -> dict[str, str]:
        return {"decision": "block" if flags(body.text) else "allow"}

    @app.get("/readyz", response_model=None)
    async def ready() -> dict[str, str]:
        return {"status": "ready"}

    return app


if __name__ == "__main__":
    chosen = flags_of(sys.argv[2]) if len(sys.argv) > 2 else lambda _: False
    uvicorn.Server(config_of(Settings(port=int(sys.argv[1])), partial(make_app, chosen))).run()
