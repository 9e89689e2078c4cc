"""Each figure that an alert, the dashboard or the reference names is exported, and each that is exported is documented."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from pydantic import SecretStr
from ruamel.yaml import YAML

from service.live import Live
from service.settings import Settings
from tests.api.conftest import ADMIN, running
from tests.deploy.test_deploy import DEPLOY
from tests.docs.pages import rows

NAME = re.compile(r"\bshenyan_[a-z_]+\b")
RULES = YAML(typ="safe").load((DEPLOY / "prometheus" / "alerts.yml").read_text(encoding="utf-8"))
ALERTS = [rule for group in RULES["groups"] for rule in group["rules"]]
DASHBOARD = json.loads((DEPLOY / "grafana" / "dashboards" / "shenyan.json").read_text(encoding="utf-8"))
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def exported(
    live: Live, tmp_path_factory: pytest.TempPathFactory, _migrated_sqlite: Path
) -> AsyncIterator[dict[str, set[str]]]:
    """Figure as it is exported -> its labels, of a service that uses everything."""
    folder = tmp_path_factory.mktemp("figures")
    shutil.copy(_migrated_sqlite, folder / "shenyan.db")
    settings = Settings(data_dir=folder, admin_key=SecretStr(ADMIN), redis_url="redis://127.0.0.1:1/0")
    async with running(live, settings) as service:
        series = service.state["metrics"].figures.read()
    yield {
        each.name + ("_total" if each.kind == "counter" else ""): {*each.labels, *(["le"] * (each.kind == "spread"))}
        for each in series
    }


def names_in(expression: str) -> set[str]:
    return {re.sub(r"_(bucket|sum|count)$", "", name) for name in NAME.findall(expression)}


def labels_in(expression: str) -> set[str]:
    inside = re.findall(r"\b(\w+) ?=~?\"", expression)
    by = [name.strip() for group in re.findall(r"\bby \(([^)]*)\)", expression) for name in group.split(",")]
    return {*inside, *by} - {"instance", "job"}


async def test_alerts_ask_for_what_is_there(exported: dict[str, set[str]]) -> None:
    for alert in ALERTS:
        check(alert["expr"], exported)
        assert alert["labels"]["severity"] in ("page", "warn")
        assert alert["annotations"]["summary"]


async def test_the_dashboard_shows_what_is_there(exported: dict[str, set[str]]) -> None:
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    for panel in PANELS:
        assert panel["description"]
        for target in panel["targets"]:
            check(target["expr"], exported)
            assert target["expr"].count("(") == target["expr"].count(")")
            for label in re.findall(r"{{(\w+)}}", target["legendFormat"]):
                assert label in labels_in(target["expr"]) | {"instance"}


def check(expression: str, exported: dict[str, set[str]]) -> None:
    names = names_in(expression)
    assert names <= set(exported) or expression.startswith("up{"), names - set(exported)
    assert labels_in(expression) <= {label for name in names for label in exported[name]}, expression


async def test_every_figure_is_documented(exported: dict[str, set[str]]) -> None:
    documented = rows("docs/reference/metrics.md")
    assert {name for name in documented if name.startswith("shenyan_")} == set(exported)
    for name, labels in exported.items():
        assert set(re.findall(r"`(\w+)`", documented[name][1])) == labels - {"le"}, name


async def test_every_alert_is_explained() -> None:
    assert {alert["alert"] for alert in ALERTS} <= set(rows("docs/how-to/observe.md"))
