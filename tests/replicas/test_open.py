"""Which store is chosen."""

from __future__ import annotations

import pytest

from service.errors import DataError
from service.replicas.fallback import FallbackConversations
from service.replicas.memory import MemoryConversations
from service.replicas.open import open_conversations
from service.settings import Settings


async def test_without_an_address_it_is_memory() -> None:
    store = open_conversations(Settings())
    assert isinstance(store, MemoryConversations)
    await store.close()


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0", "rediss://:secret@127.0.0.1:1", "unix:///nowhere/socket"])
async def test_with_one_it_is_redis_and_memory_behind_it(url: str) -> None:
    store = open_conversations(Settings(redis_url=url))
    assert isinstance(store, FallbackConversations)
    await store.close()


def test_an_address_that_cannot_be_read_is_refused_without_its_password() -> None:
    with pytest.raises(DataError, match="SHENYAN_REDIS_URL") as refused:
        open_conversations(Settings(redis_url="redis://:secret@localhost:port/0"))
    assert "secret" not in str(refused.value)
