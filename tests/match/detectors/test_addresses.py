from __future__ import annotations

import pytest

from service.engine import Engine
from tests.reading import confirmed


@pytest.mark.parametrize(("text", "expected"), [
    ("广东省深圳市南山区科技路88号", ["广东省深圳市南山区科技路88号"]),
    ("实体店在人民路12号，欢迎来逛", ["实体店在人民路12号"]),
    ("上海市黄浦区南京东路100号3楼", ["上海市黄浦区南京东路100号3楼"]),
    ("天河区体育西路 103号", ["天河区体育西路 103号"]),
    ("杭州市文一路18号", ["杭州市文一路18号"]),
    ("万达广场3楼12铺", ["万达广场3楼12铺"]),
    ("人民路１２号", ["人民路１２号"]),
])  # fmt: skip
def test_found(engine: Engine, text: str, expected: list[str]) -> None:
    assert confirmed(engine, "addresses", text) == expected


@pytest.mark.parametrize("text", [
    "收货地址是中山路66号对吗",
    "寄回地址：杭州市文一路18号",
    "网点：示范路1号",
    "发到中关村大街1号对吗",
    "5号楼",
    "一号线路",
    "这款是3号色",
    "走路10分钟",
    "道具5号",
    "里面5号",
    "路由器2号",
    "长度1号",
    "线路3号",
    "这里5号之前发货",
    "店里8号发货",
    "我们家里5号放假",
    "知道了5号给您发",
    "在路上3号到",
    "",
])  # fmt: skip
def test_nothing_found(engine: Engine, text: str) -> None:
    assert confirmed(engine, "addresses", text) == []
