"""Figures for Prometheus, one registry per application. No key, id or text ever becomes a label."""

from __future__ import annotations

from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from service.record.outcome import Outcome
from service.vocabulary import ACTIONS, PLATFORMS

SECONDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)


class Metrics:
    """Counters with their labels bound beforehand: finding a label by name costs more than counting."""

    def __init__(self, shared: Path | None) -> None:
        """`shared` is the folder where several workers add up their figures, None for a single one."""
        self._shared = shared
        self._registry = CollectorRegistry()
        decisions = Counter(
            "shenyan_decisions",
            "Messages decided and recorded",
            ["platform", "action"],
            registry=self._registry,
        )
        self._decisions: dict[tuple[str, str], Counter] = {
            (platform, action): decisions.labels(platform, action) for platform in PLATFORMS for action in ACTIONS
        }
        self._seconds = Histogram(
            "shenyan_decision_seconds", "From request to answer", buckets=SECONDS, registry=self._registry
        )
        self._degraded = Counter(
            "shenyan_degraded", "Answers in which a part was not inspected", ["part"], registry=self._registry
        )

    def count(self, platform: str, outcome: Outcome, seconds: float) -> None:
        """One message was decided."""
        self._decisions[platform, outcome.decision].inc()
        self._seconds.observe(seconds)
        for entry in outcome.degraded:
            self._degraded.labels(entry.partition(":")[0]).inc()

    def text(self) -> bytes:
        """The text format of Prometheus; summed over all workers where several share a folder."""
        if self._shared is None:
            return generate_latest(self._registry)
        registry = CollectorRegistry()
        MultiProcessCollector(registry, str(self._shared))  # type: ignore[no-untyped-call]
        return generate_latest(registry)
