"""Writes the figures of docs/scaling.md anew from what `make bench` and `bench.capacity` have kept. python -m bench.scaling"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.report import RESULTS, BenchError

PAGE = RESULTS.parents[1] / "docs" / "scaling.md"
BEGIN = "<!-- Figures from bench/results/, written by python -m bench.scaling: do not edit by hand. -->"
END = "<!-- End of the figures. -->"
DAY = 86_400
AVERAGE, PEAK = 12_000, 50_000
"""Messages a second of a billion a day."""
LOAD = 0.5
"""How much of a core is planned with: the rest is for the peak within the peak, and for a replica that is gone."""
GIB = 1 << 30


def main() -> None:
    """Rewrites the page."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n{tables()}\n{END}{after}", encoding="utf-8")


def tables() -> str:
    """Both tables, from the kept results. Raises BenchError when one was not measured."""
    served = {each["what"]: each["values"] for each in read("latest.json")["figures"]}
    stores = read("capacity.json")["figures"]
    return f"{measured(served, stores)}\n\n{sums(served, stores)}"


def read(name: str) -> dict[str, Any]:
    path: Path = RESULTS / name
    if not path.exists():
        raise BenchError(f"{path} is not there; run `make bench` and `python -m bench.capacity`")
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def rate(served: Mapping[str, Any], what: str) -> float:
    if what not in served:
        raise BenchError(f"the kept results have no row {what!r}; change bench/scaling.py with the bench")
    found: float = served[what]["rate_per_s"]
    return found


def measured(served: Mapping[str, Any], stores: Mapping[str, float]) -> str:
    """What was measured, on the machine of bench/results/."""
    rows = [
        ("clean replies, one worker", f"{rate(served, 'clean replies, all different'):,.0f}/s"),
        ("1 in 50 an incident, one worker, PostgreSQL", f"{rate(served, '1 in 50 an incident, PostgreSQL'):,.0f}/s"),
        ("processor time of an incident in PostgreSQL", f"{stores['small_table_server_ms']:.2f} ms"),
        ("the same in a table of 2 million", f"{stores['large_table_server_ms']:.2f} ms"),
        ("the same while old ones are deleted", f"{stores['while_deleting_server_ms']:.2f} ms"),
        ("incidents made durable by one writer", f"{stores['small_table_incidents_per_s']:,.0f}/s"),
        ("the same in a table of 2 million", f"{stores['large_table_incidents_per_s']:,.0f}/s"),
        ("the same while old ones are deleted", f"{stores['while_deleting_incidents_per_s']:,.0f}/s"),
        ("old incidents deleted in batches of 1,000", f"{stores['deleted_per_s']:,.0f}/s"),
        ("an incident with its indexes", f"{stores['incident_bytes']:,.0f} bytes"),
        ("its categories", f"{stores['category_bytes']:,.0f} bytes"),
        ("its ledger entries, two schemes", f"{stores['ledger_bytes_per_incident']:,.0f} bytes"),
        ("its stored answer, where the message had an id", f"{stores['reply_bytes']:,.0f} bytes"),
        ("the stored answer of an allowed message with an id", f"{stores['allowed_reply_bytes']:,.0f} bytes"),
        ("processor time of such a one in PostgreSQL", f"{stores['allowed_with_id_server_ms']:.3f} ms"),
        ("indexes of an incident, which want to be in memory", f"{index_bytes(stores):,.0f} bytes"),
        ("Redis, a message of a conversation", f"{stores['redis_us_per_message']:.0f} us, one round trip"),
        ("Redis, a request of a key with a rate", f"{stores['redis_us_per_limited_request']:.0f} us, one round trip"),
        ("Redis, a conversation of five messages", f"{stores['redis_bytes_per_conversation']:,.0f} bytes"),
    ]
    return table("measured on two shared cores", "", rows)


def index_bytes(stores: Mapping[str, float]) -> float:
    return stores["large_table_index_bytes"] / stores["large_table_rows"]


def sums(served: Mapping[str, Any], stores: Mapping[str, float]) -> str:
    """What a billion messages a day need by these figures."""
    worker = rate(served, "1 in 50 an incident, PostgreSQL")
    named = rate(served, "clean replies with message_id, SQLite")
    row_bytes = stores["incident_bytes"] + stores["category_bytes"] + stores["ledger_bytes_per_incident"]
    server = max(value for name, value in stores.items() if name.endswith("_server_ms")) / 1000
    rows = [
        (f"workers, one a core, at {LOAD:.0%} load", cores(AVERAGE / worker), cores(PEAK / worker)),
        ("the same, if every message has an id (measured on SQLite)", cores(AVERAGE / named), cores(PEAK / named)),
        (
            "Redis, if every message has a conversation",
            *(cores(n * stores["redis_us_per_message"] / 1e6) for n in BOTH),
        ),
    ]
    for share in (0.01, 0.02):
        rows += [
            (f"incidents at {share:.0%}", *(f"{n * share:,.0f}/s" for n in BOTH)),
            ("PostgreSQL for them", *(cores(n * share * server) for n in BOTH)),
            ("rows of a day", f"{AVERAGE * DAY * share * row_bytes / GIB:,.0f} GiB", ""),
            ("rows of 90 days", f"{AVERAGE * DAY * share * row_bytes * 90 / GIB:,.0f} GiB", ""),
            (
                "deleting a day's incidents takes",
                f"{AVERAGE * DAY * share / stores['deleted_per_s'] / 60:,.0f} min",
                "",
            ),
        ]
    allowed = stores["allowed_reply_bytes"]
    rows += [
        (
            "if every message has an id: PostgreSQL",
            *(cores(n * stores["allowed_with_id_server_ms"] / 1e3) for n in BOTH),
        ),
        ("its stored answers, a day", f"{AVERAGE * DAY * allowed / GIB:,.0f} GiB", ""),
    ]
    return table("a billion messages a day", "12,000/s on average | 50,000/s at peak", rows)


BOTH = (AVERAGE, PEAK)


def cores(busy: float) -> str:
    number = math.ceil(busy / LOAD)
    return f"{number:,} core{'s' * (number > 1)}"


def table(what: str, columns: str, rows: list[Any]) -> str:
    head = f"| {what} | {columns or 'figure'} |"
    rule = " --- |" * (head.count("|") - 1)
    lines = [head, f"|{rule}", *(f"| {' | '.join(row)} |" for row in rows)]
    return "\n".join(lines).replace("|  |", "| |")


if __name__ == "__main__":
    main()
