"""Prometheus metrics of one service: a small set of labels, never a tenant, patient or value of an event."""

import importlib.metadata
import platform
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import generate_latest

from schemas.errors import Code

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class Metrics:
    """What a service counts. ``registry`` takes further metrics of the service's own."""

    def __init__(self, service: str) -> None:
        self.registry = CollectorRegistry()
        self._service = service
        self._dead_in_batch = 0
        labels = ("service",)
        self._events = Counter(
            "pgx_events", "Events by what became of them", (*labels, "outcome"), registry=self.registry
        )
        self._batches = Counter("pgx_batches", "Batches handled", labels, registry=self.registry)
        self._handling = Histogram(
            "pgx_handling_seconds", "Time to handle one batch", labels, registry=self.registry, buckets=_BUCKETS
        )
        self._dead_letters = Counter(
            "pgx_dead_letters", "Dead letters written, by code", (*labels, "code"), registry=self.registry
        )
        self._oldest = Gauge(
            "pgx_dead_letter_oldest_age_seconds",
            "Age of the oldest dead letter of any service that was neither retried nor discarded; 0: there is none",
            labels,
            registry=self.registry,
        )
        self._release = Gauge(
            "pgx_knowledge_release_info", "Knowledge releases in use", (*labels, "release"), registry=self.registry
        )
        build = Gauge("pgx_build_info", "The running software", (*labels, "version", "python"), registry=self.registry)
        build.labels(service, version(), platform.python_version()).set(1)
        for outcome in ("handled", "dead-letter"):
            self._events.labels(service, outcome)
        for code in Code:
            self._dead_letters.labels(service, code.value)
        self._oldest.labels(service).set(0)

    def gauge(self, name: str, description: str, read: Callable[[], float]) -> None:
        """Add a gauge that is read when it is asked for."""
        gauge = Gauge(name, description, ("service",), registry=self.registry)
        gauge.labels(self._service).set_function(read)

    def batch(self, events: int, seconds: float) -> None:
        """A batch of so many events is done; those that became dead letters meanwhile are not counted as handled."""
        dead, self._dead_in_batch = self._dead_in_batch, 0
        self._batches.labels(self._service).inc()
        self._handling.labels(self._service).observe(seconds)
        self._events.labels(self._service, "handled").inc(events - dead)

    def dead_letter(self, code: str) -> None:
        """One of the events of the batch at hand became a dead letter."""
        self._dead_in_batch += 1
        self._events.labels(self._service, "dead-letter").inc()
        self._dead_letters.labels(self._service, code).inc()

    def oldest_dead_letter(self, age_seconds: float) -> None:
        """The age of the oldest dead letter that waits for somebody; 0 when there is none."""
        self._oldest.labels(self._service).set(age_seconds)

    def knowledge_releases(self, releases: set[str]) -> None:
        """The knowledge releases that are in use now."""
        self._release.clear()
        for release in releases:
            self._release.labels(self._service, release).set(1)

    def exposition(self) -> bytes:
        """All metrics in Prometheus' text format."""
        return generate_latest(self.registry)


def version() -> str:
    """Version of the installed software."""
    return importlib.metadata.version("pgx-pipeline")
