"""The demo page as it is sent: a strict policy, kept by browsers, and absent where it is switched off."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest

from service.api.app import create_app
from service.api.demo.page import FILES
from service.settings import Settings
from tests.api.conftest import Running

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize("path", FILES)
async def test_each_file_is_sent_once(shared: Running, path: str) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(shared.asgi), base_url="http://test") as nobody:
        first = await nobody.get(path)
        assert (first.status_code, first.content) == (200, FILES[path][0].read_bytes())
        assert first.headers["content-type"] == FILES[path][1]
        assert first.headers["cache-control"] == "no-cache"
        for known in (first.headers["etag"], f"W/{first.headers['etag']}", f'"other", {first.headers["etag"]}'):
            again = await nobody.get(path, headers={"If-None-Match": known})
            assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
        assert (await nobody.get(path, headers={"If-None-Match": '"other"'})).status_code == 200
        assert (await nobody.head(path)).status_code == 200
        assert (await nobody.post(path)).status_code == 405


async def test_nothing_but_its_own_files_may_run(shared: Running) -> None:
    page = await shared.client.get("/demo")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert set(re.findall(r"(\S+-src) 'self'", policy)) == {"script-src", "style-src", "connect-src", "img-src"}
    assert "<style" not in page.text
    assert re.findall(r"<script[^>]*>", page.text) == ['<script type="module" src="demo/demo.js">']
    assert not re.search(r"\son\w+=|style=", page.text)


async def test_it_can_be_switched_off(tmp_path: Path) -> None:
    def paths(demo: bool) -> set[str]:
        routes = create_app(Settings(data_dir=tmp_path, demo=demo)).routes
        return {path for route in routes if (path := getattr(route, "path", "")).startswith("/demo")}

    assert (paths(True), paths(False)) == (set(FILES), set())
