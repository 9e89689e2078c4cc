"""Which tools there are. A new one is a file of this folder and a line here."""

from __future__ import annotations

from service.api.hooks.tool import Tool

_ALL: tuple[Tool, ...] = (
    # Asked before the customer sees it.
    # Told after.
)

TOOLS: dict[str, Tool] = {tool.provider: tool for tool in _ALL}
"""By the name that a connection's `provider` has."""
