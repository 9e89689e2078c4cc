"""Who may come in: bearer keys, their roles, and how fast they may ask.

A key is looked up by its hash and remembered for `KEY_SECONDS`: a revoked key is refused at once by the process that
revoked it, and by every other one at most that many seconds later. An unknown key is remembered too, so that guessing
does not reach the store. While the store is out, known keys are good for `SHENYAN_STALE_SECONDS`.
"""

from __future__ import annotations

from cachetools import LRUCache
from starlette.requests import Request

from service.api.remembered import STALE_SECONDS, Remembered
from service.errors import Forbidden, RateLimited, Unauthorized
from service.figures import Count
from service.record.database import Database
from service.record.keys import ApiKey, Role, find_key, hash_key
from service.replicas.rates import Rates

REMEMBERED = "keys: store not reachable, as known before"
KEY_SECONDS = 3.0
MAX_KEY_BYTES = 512
RATE_LIMIT = "^[1-9][0-9]{0,6}/(second|minute|hour|day)$"
UNAUTHORIZED = "Send `Authorization: Bearer <key>` with a key that this service knows and that is not revoked."


class Keys:
    """The keys that this process has seen lately."""

    def __init__(
        self,
        database: Database,
        rates: Rates | None = None,
        refused: Count | None = None,
        stale: float = STALE_SECONDS,
    ) -> None:
        """`rates` counts the requests of keys that have a limit; `refused` those that were too many; `stale`: seconds for
        which a key is good while the store is out.
        """
        self._remembered: Remembered[str, ApiKey | None] = Remembered(
            lambda key_hash: find_key(database, key_hash), KEY_SECONDS, stale=stale
        )
        self._hashes: LRUCache[bytes, str] = LRUCache(1000)
        self.rates = rates or Rates()
        self._refused = refused

    async def admit(self, authorization: bytes, roles: frozenset[Role]) -> ApiKey:
        """The key behind an `Authorization` header.

        Raises Unauthorized for no key, an unknown or a revoked one; Forbidden when its role is none of `roles`;
        RateLimited when its rate is used up.
        """
        scheme, _, token = authorization.partition(b" ")
        token = token.strip()
        if scheme.lower() != b"bearer" or not token or len(token) > MAX_KEY_BYTES:
            raise Unauthorized(UNAUTHORIZED)
        key_hash = self._hashes.get(token)
        if key_hash is None:
            key_hash = self._hashes[token] = hash_key(token.decode("latin-1"))
        key = await self._remembered.get(key_hash)
        if key is None:
            raise Unauthorized(UNAUTHORIZED)
        if key.role not in roles:
            needed = " or ".join(sorted(roles))
            raise Forbidden(f"This key's role is {key.role}; this route is for {needed}.")
        if key.rate_limit is not None:
            await self._count(key, key.rate_limit)
        return key

    @property
    def degraded(self) -> tuple[str, ...]:
        """What an answer must name: keys are let in as they were known, since nobody can say who was revoked."""
        return (REMEMBERED,) if self._remembered.lost else ()

    def forget(self) -> None:
        """After a key was revoked here: the next request of each key is looked up anew."""
        self._remembered.forget()

    async def count_more(self, key: ApiKey, messages: int) -> None:
        """Counts a request's messages; the first one counted when it was let in. Raises RateLimited."""
        if key.rate_limit is not None and messages > 1:
            await self._count(key, key.rate_limit, messages - 1)

    async def _count(self, key: ApiKey, notation: str, count: int = 1) -> None:
        wait = await self.rates.hit(key.id, notation, count)
        if wait > 0:
            if self._refused is not None:
                self._refused.add()
            allowed = f"This key may send {notation.replace('/', ' messages a ')}"
            if count >= int(notation.partition("/")[0]):
                raise RateLimited(f"{allowed}, and these are {count + 1}; send fewer together.", retry_after=wait)
            raise RateLimited(f"{allowed}; wait for the next one.", retry_after=wait)


class Requires:
    """A dependency: the caller's key, when it has one of the roles. The OpenAPI document names them from here."""

    def __init__(self, *roles: Role) -> None:
        self.roles: frozenset[Role] = frozenset(roles)

    async def __call__(self, request: Request) -> ApiKey:
        keys: Keys = request.state.keys
        authorization = request.headers.get("authorization", "").encode("latin-1")
        key: ApiKey = await keys.admit(authorization, self.roles)
        return key
