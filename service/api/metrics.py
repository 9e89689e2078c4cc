"""Figures for Prometheus, one set per application. No key, id or text ever becomes a label.

Whoever has something of its own to count adds it to `figures`; docs/reference/metrics.md has a row for each name.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from service.figures import BOUNDS, Figures, Series, Shared
from service.record.outcome import Outcome
from service.vocabulary import ACTIONS, PLATFORMS

STAGES = ("decode", "decide", "record", "total")


class Metrics:
    """What is counted about requests and messages, bound beforehand: finding a label by name costs more than counting."""

    def __init__(self, folder: Path | None) -> None:
        """`folder`: where several workers add up their figures, None for a single one."""
        self.figures = figures = Figures()
        self._shared = Shared(folder) if folder is not None else None
        self._decisions = figures.count("shenyan_decisions", "Messages decided and recorded.", "platform", "action")
        self._decisions.values.update({(platform, action): 0 for platform in PLATFORMS for action in ACTIONS})
        self._recorded = figures.count("shenyan_recorded", "Incidents, by where they were made durable.", "where")
        self._recorded.values.update({(where,): 0 for where in ("database", "journal", "none")})
        self._degraded = figures.count("shenyan_degraded", "Answers in which a part was not inspected.", "part")
        stages = figures.spread("shenyan_stage_seconds", "Where the time of a message goes.", "stage", STAGES)
        self._decode, self._decide, self._record, self._total = (stages[stage] for stage in STAGES)
        self.responses = figures.count("shenyan_responses", "Answers, by HTTP status.", "status")
        self.saturated = figures.count("shenyan_saturated", "Requests refused because too many were inside.")
        self.rate_limited = figures.count("shenyan_rate_limited", "Requests refused because a key's rate was used up.")

    def count(self, platform: str, outcome: Outcome, began: float, ended: float) -> None:
        """One message was decided. `began`: ms from its request's arrival to its turn; `ended`: to its outcome."""
        self._decisions.values[platform, outcome.decision] += 1
        self._decode.add(began / 1000)
        if not outcome.replayed:
            # What was read of an earlier request's outcome says nothing about this one's stages.
            self._decide.add((outcome.latency_ms - began) / 1000)
            if outcome.decision != "allow":
                self._recorded.add(outcome.recorded)
        self._record.add((ended - (began if outcome.replayed else outcome.latency_ms)) / 1000)
        self._total.add(ended / 1000)
        for entry in outcome.degraded:
            self._degraded.add(entry.partition(":")[0])

    def put(self) -> None:
        """Lets the other workers see this one's figures."""
        if self._shared is not None:
            self._shared.put(self.figures.read())

    def text(self) -> bytes:
        """The text format of Prometheus; added up over all workers where several share a folder."""
        own = self.figures.read()
        registry = CollectorRegistry()
        registry.register(Page(own if self._shared is None else self._shared.merged(own)))
        return generate_latest(registry)


class Page(Collector):
    """Figures in the words of the library."""

    def __init__(self, series: list[Series]) -> None:
        self._series = series

    def collect(self) -> Iterator[Metric]:
        for series in self._series:
            yield family_of(series)


def family_of(series: Series) -> Metric:
    """One figure with its rows."""
    if series.kind == "spread":
        spread = HistogramMetricFamily(series.name, series.help, labels=series.labels)
        for labels, (*bins, seconds) in series.rows:
            spread.add_metric(labels, buckets_of(bins), sum_value=seconds)
        return spread
    kind = CounterMetricFamily if series.kind == "counter" else GaugeMetricFamily
    family = kind(series.name, series.help, labels=series.labels)
    for labels, (value,) in series.rows:
        family.add_metric(labels, value)
    return family


def buckets_of(bins: list[float]) -> list[tuple[str, float]]:
    """Prometheus counts in each bin what is in those below it, too."""
    bounds = [*map(floatToGoString, BOUNDS), "+Inf"]
    return [(bound, sum(bins[: place + 1])) for place, bound in enumerate(bounds)]
