"""Where this process keeps what replicas share: at SHENYAN_REDIS_URL, else in its own memory."""

from __future__ import annotations

from service.errors import DataError
from service.replicas.conversation import Bounds, ConversationStore
from service.replicas.fallback import FallbackConversations
from service.replicas.memory import MemoryConversations
from service.replicas.rates import Rates
from service.settings import Settings

# Not the library's own words, which may hold the password.
BAD_ADDRESS = "SHENYAN_REDIS_URL can't be read; write redis://[:password@]host:port/number"


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
        raise DataError(BAD_ADDRESS) from None
    return FallbackConversations(shared, own, settings.redis_timeout)


def open_rates(settings: Settings) -> Rates:
    """What counts the requests of keys that have a limit. Raises DataError for an address that is none."""
    if not settings.redis_url:
        return Rates()
    from service.replicas.redis import RedisRates, connect

    try:
        return Rates(RedisRates(connect(settings.redis_url, settings.redis_timeout)), settings.redis_timeout)
    except ValueError:
        raise DataError(BAD_ADDRESS) from None
