"""Ledger entries, sanctions and standings as clients read them: money in CNY, names in one language."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

import msgspec
from pydantic import BaseModel, Field

from service.api.language import Language, in_language
from service.lexicon.term import Localized
from service.penalise.forecast import in_words
from service.penalise.ladder import Ladders
from service.penalise.pages import Settled
from service.penalise.standing import SchemeStanding
from service.penalise.standings import Standing
from service.record.entry import LedgerEntry
from service.record.sanction import Phase, Sanction

Money = Annotated[float, Field(description="CNY.")]


class EntryOut(BaseModel):
    """One line of the ledger. Lines are only ever added."""

    id: str
    seq: int = Field(description="1, 2, 3 … in its account.")
    account_kind: Literal["agent", "shop"]
    shop_id: str
    agent_id: str = Field(description="Who caused it.")
    scheme: str
    side: Literal["shop", "platform"] = Field(description="platform: what the marketplace would do.")
    edition: str = Field(description="Of the ladder's rules, by which it was priced.")
    rule: str
    kind: Literal["charge", "reversal", "recount", "adjustment"]
    incident_id: str | None
    points: int
    money: Money
    day: date = Field(description="In the shop's time zone: decides the month.")
    created_at: datetime
    reversal_of: str | None = Field(description="The entry that it takes back.")
    corrects: str | None = Field(description="For a recount: the charge whose cost it corrects.")
    key_id: str | None = Field(description="Who decided it; null for what happened by rule.")
    note: str | None


class SanctionOut(BaseModel):
    """A consequence for an agent or a shop, with the time that it holds."""

    id: str
    shop_id: str
    agent_id: str | None = Field(description="null for the shop's own.")
    scheme: str
    side: Literal["shop", "platform"] = Field(description="platform: what the marketplace would do; binds nobody here.")
    edition: str
    consequence: str = Field(description="Its id in the ladder.")
    name: str
    phase: Phase
    day: date = Field(description="Of the entry that brought it about, in the shop's time zone.")
    entry_id: str
    created_at: datetime
    starts_at: datetime
    ends_at: datetime | None = Field(description="null: until it is lifted.")
    lifted_at: datetime | None
    lifted_by: str | None = Field(description="null when it was lifted because it no longer held.")
    lift_reason: str | None


class SchemeOut(BaseModel):
    """Where an account stands in one scheme."""

    scheme: str
    name: str
    edition: str
    period: str = Field(description="`2026-03`, `2026`, or the first and last day of a rolling window.")
    score: int | None = Field(description="What is left of `full`; null where points are only added up.")
    full: int | None
    points: int
    money: Money
    incidents: int
    state: str = Field(description="`good`, or the id of the gravest consequence whose line is crossed.")
    state_name: str
    next: str | None = Field(description="The next line, as `at 5: spoken warning`; null when there is none.")
    points_left: int | None = Field(description="How many more points reach it.")


class StandingOut(BaseModel):
    """Where an agent or a shop stands now."""

    agent_id: str | None = Field(description="null for a shop's own.")
    shop_id: str
    today: date = Field(description="In the shop's time zone.")
    schemes: list[SchemeOut] = Field(description="What the shop counts.")
    exposure: list[SchemeOut] = Field(description="What the marketplace would count.")
    sanctions: list[SanctionOut] = Field(description="The shop's, pending or in force.")
    exposed_to: list[SanctionOut] = Field(description="What the marketplace would do, pending or in force.")


class SettledOut(BaseModel):
    """What a decision brought about."""

    entries: list[EntryOut]
    sanctions_started: list[SanctionOut]
    sanctions_lifted: list[SanctionOut]


def entry_out(entry: LedgerEntry) -> EntryOut:
    return EntryOut(**msgspec.structs.asdict(entry) | {"money": entry.money / 100})


def sanction_out(sanction: Sanction, ladders: Ladders, spoken: Language, now: datetime) -> SanctionOut:
    return SanctionOut(
        **msgspec.structs.asdict(sanction)
        | {
            "agent_id": sanction.agent_id or None,
            "name": in_language(consequence_name(ladders, sanction), spoken),
            "phase": sanction.phase(now),
        }
    )


def consequence_name(ladders: Ladders, sanction: Sanction) -> Localized:
    """As its edition calls it; by its id where the ladder's file is gone."""
    ladder = ladders.schemes.get(sanction.scheme)
    edition = ladder.edition(sanction.edition) if ladder else None
    consequence = edition.consequence(sanction.consequence) if edition else None
    return consequence.name if consequence else Localized(sanction.consequence)


def settled_fields(settled: Settled, ladders: Ladders, spoken: Language, now: datetime) -> dict[str, Any]:
    """What `SettledOut` shows."""
    return {
        "entries": [entry_out(each) for each in settled.entries],
        "sanctions_started": [sanction_out(each, ladders, spoken, now) for each in settled.started],
        "sanctions_lifted": [sanction_out(each, ladders, spoken, now) for each in settled.lifted],
    }


def standing_out(standing: Standing, ladders: Ladders, spoken: Language, now: datetime) -> StandingOut:
    def schemes(rows: tuple[SchemeStanding, ...]) -> list[SchemeOut]:
        return [_scheme(row, ladders, spoken) for row in rows]

    def sanctions(rows: tuple[Sanction, ...]) -> list[SanctionOut]:
        return [sanction_out(row, ladders, spoken, now) for row in rows]

    return StandingOut(
        agent_id=standing.account.agent_id or None,
        shop_id=standing.account.shop_id,
        today=standing.today,
        schemes=schemes(standing.schemes),
        exposure=schemes(standing.exposure),
        sanctions=sanctions(standing.sanctions),
        exposed_to=sanctions(standing.exposed_to),
    )


def _scheme(row: SchemeStanding, ladders: Ladders, spoken: Language) -> SchemeOut:
    edition = ladders.schemes[row.scheme].edition(row.edition)
    words = in_words(edition, row.next) if edition else Localized()
    return SchemeOut(
        scheme=row.scheme,
        name=in_language(row.name, spoken),
        edition=row.edition,
        period=row.window.key,
        score=row.score,
        full=row.full,
        points=row.points,
        money=row.money / 100,
        incidents=row.incidents,
        state=row.state,
        state_name=in_language(row.state_name, spoken),
        next=in_language(words, spoken) or None,
        points_left=row.next.points_left if row.next else None,
    )
