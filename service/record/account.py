"""Who is charged: an agent of a shop, or the shop itself."""

from __future__ import annotations

from functools import cached_property
from hashlib import sha256
from typing import Literal

import msgspec

AccountKind = Literal["agent", "shop"]
Side = Literal["shop", "platform"]
"""Whose scheme it is: what the shop does, or what the marketplace would do."""


class Account(msgspec.Struct, frozen=True, dict=True):
    """One account. An agent who works for two shops has two."""

    tenant_id: str
    kind: AccountKind
    shop_id: str
    agent_id: str = ""
    """Empty for the shop's own."""

    @cached_property
    def id(self) -> str:
        """The same for the same names, so that nobody has to look it up: 32 hexadecimal digits."""
        return sha256(msgspec.json.encode((self.kind, self.shop_id, self.agent_id))).hexdigest()[:32]


def agent_account(tenant_id: str, shop_id: str, agent_id: str) -> Account:
    return Account(tenant_id, "agent", shop_id, agent_id)


def shop_account(tenant_id: str, shop_id: str) -> Account:
    return Account(tenant_id, "shop", shop_id)
