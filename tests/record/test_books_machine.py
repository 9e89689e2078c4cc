"""The books in a real database, through stories that are made up as they go: what is stored and what a standing says
agree with the same story told in memory, without what was taken back.
"""

from __future__ import annotations

import asyncio
import shutil
from collections import Counter
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from service.penalise.case import case_of
from service.penalise.page import fell
from service.penalise.replay import begin
from service.penalise.standing import standing_of
from service.penalise.window import local_day, zone_of
from service.record.database import Database
from service.record.incident import Incident
from service.record.sanctions import list_sanctions
from service.record.storing import Entry
from service.record.writer import GroupWriter
from tests.record.factories import NOW
from tests.record.test_books import AGENT, BOOKS, LADDERS, SHOP, abuse, check_sums, put, scheme

ACCOUNTS = {"ten_point": AGENT, "kpi": AGENT, "taobao": SHOP}


class BooksMachine(RuleBasedStateMachine):
    """A shop on Taobao with two schemes of its own."""

    empty: Path

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = TemporaryDirectory()
        path = Path(self.folder.name) / "books.db"
        shutil.copy(self.empty, path)
        self.database: Database = self.do(Database.open(f"sqlite+aiosqlite:///{path}"))
        self.do(put(self.database, "taobao", "ten_point", "kpi"))
        self.incidents: list[Incident] = []
        self.charged: dict[str, list[str]] = {name: [] for name in ACCOUNTS}
        self.overturned: set[str] = set()

    def do(self, work: Any) -> Any:
        return self.runner.run(work)

    async def store(self, incidents: list[Incident]) -> None:
        writer = GroupWriter(self.database, charging=BOOKS)
        writer.start()
        await asyncio.gather(*(writer.write(Entry(each)) for each in incidents))
        await writer.close()

    def note_charge(self, incident: Incident, *, upheld: bool) -> None:
        """The order in which each scheme came to charge it."""
        for name, charged in self.charged.items():
            due = upheld or (incident.decision == "block" and name != "kpi")
            if due and incident.id not in charged:
                charged.append(incident.id)

    @rule(hours=st.lists(st.integers(0, 24 * 40), min_size=1, max_size=4), warn=st.booleans())
    def new(self, hours: list[int], warn: bool) -> None:
        made = [abuse(each, platform="taobao", decision="warn" if warn else "block") for each in hours]
        self.do(self.store(made))
        self.incidents += made
        for incident in made:
            self.note_charge(incident, upheld=False)

    @rule(data=st.data(), verdict=st.sampled_from(["upheld", "overturned"]))
    def review(self, data: st.DataObject, verdict: Any) -> None:
        if not self.incidents:
            return
        incident = data.draw(st.sampled_from(self.incidents))

        async def settle() -> None:
            async with self.database.write() as connection:
                await BOOKS.settle(connection, incident, verdict, NOW + timedelta(days=50))

        self.do(settle())
        if verdict == "upheld":
            self.overturned.discard(incident.id)
            self.note_charge(incident, upheld=True)
        else:
            self.overturned.add(incident.id)

    def teardown(self) -> None:
        try:
            self.do(self.compare())
        finally:
            self.do(self.database.close())
            self.runner.close()
            self.folder.cleanup()

    async def compare(self) -> None:
        await check_sums(self.database)
        by_id = {incident.id: incident for incident in self.incidents}
        for name, account in ACCOUNTS.items():
            story = begin(LADDERS.schemes[name], account)
            for incident_id in self.charged[name]:
                if incident_id not in self.overturned:
                    story.tell(case_of(by_id[incident_id]))
            for days in (0, 20, 32, 62):
                at = NOW + timedelta(days=days)
                today = local_day(at, zone_of("Asia/Shanghai"))
                expected = standing_of(story.page.ladder, story.page.sums, today)
                assert await scheme(self.database, name, account, at) == expected
            stored, _ = await list_sanctions(self.database, "acme", now=NOW, limit=500)
            own = [each for each in stored if each.scheme == name and not fell(each)]
            assert Counter((each.consequence, each.occasion) for each in own) == Counter(
                (each.consequence, each.occasion) for each in story.page.sanctions
            )


def test_the_books_agree_with_the_story(request: pytest.FixtureRequest) -> None:
    # On SQLite alone: what differs between the two databases is raced elsewhere.
    machine = type("Machine", (BooksMachine,), {"empty": request.getfixturevalue("_migrated_sqlite")})
    run_state_machine_as_test(machine, settings=settings(max_examples=15, stateful_step_count=12, deadline=None))
