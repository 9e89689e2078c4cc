"""The reference has a row for each chat tool, with all that is not verified about it."""

from __future__ import annotations

import pytest

from service.api.hooks.registry import TOOLS
from tests.docs.pages import read, rows

AFTER = sorted(name for name, tool in TOOLS.items() if tool.delivery == "after")


@pytest.mark.parametrize("provider", AFTER)
def test_each_tool_that_tells_us_after_has_its_row(provider: str) -> None:
    cells = rows("docs/reference/connections.md")[provider]
    assert [part for part in cells[6].split("; ") if part] == list(TOOLS[provider].experimental)


def test_it_says_that_the_customer_has_seen_it() -> None:
    assert "**The customer has already seen the message.**" in read("docs/how-to/connect-a-helpdesk.md")
