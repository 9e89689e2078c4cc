"""Which store this process remembers conversations in: the one at SHENYAN_REDIS_URL, else its own memory."""

from __future__ import annotations

from service.errors import DataError
from service.replicas.conversation import Bounds, ConversationStore
from service.replicas.fallback import FallbackConversations
from service.replicas.memory import MemoryConversations
from service.settings import Settings


def open_conversations(settings: Settings) -> ConversationStore:
    """The store; a server that can't be reached is no error, now or later. Raises DataError for an address that is none."""
    bounds = Bounds(settings.conversation_messages, settings.conversation_seconds, settings.conversations_in_memory)
    own = MemoryConversations(bounds)
    if not settings.redis_url:
        return own
    # The library takes a tenth of a second to load: only who uses it waits for it.
    from service.replicas.redis import RedisConversations

    try:
        shared = RedisConversations.connect(settings.redis_url, bounds, settings.redis_timeout)
    except ValueError:
        # The library's own words may hold the password.
        raise DataError("SHENYAN_REDIS_URL can't be read; write redis://[:password@]host:port/number") from None
    return FallbackConversations(shared, own, settings.redis_timeout)
