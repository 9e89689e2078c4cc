"""What the service is compared with: a FastAPI endpoint with a body like ours that does nothing. `python -m bench.empty PORT`"""

from __future__ import annotations

import sys
from datetime import datetime
from typing import Annotated, Literal

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field

from service.api.serve import config_of
from service.settings import Settings
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


def make_app() -> FastAPI:
    app = FastAPI()

    # Without a model for the answer, which would cost it more.
    @app.post("/v1/moderate", response_model=None)
    async def moderate(_body: Body) -> dict[str, str]:
        return {"decision": "allow"}

    @app.get("/readyz", response_model=None)
    async def ready() -> dict[str, str]:
        return {"status": "ready"}

    return app


if __name__ == "__main__":
    uvicorn.Server(config_of(Settings(port=int(sys.argv[1])), make_app)).run()
