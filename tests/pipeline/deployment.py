"""A running deployment for tests, and its outside: publish to topics, read them, run commands."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from cli.embedded.guarded import Guarded
from runtime.message import Headers, Message, Outgoing
from runtime.producer import Producer
from runtime.topic_reader import reading
from schemas.topics import DEAD_LETTER, KNOWLEDGE, LAB_RESULT, RECOMMENDATION, TOPICS, Topic
from tests.support.kafka import Broker

T = TypeVar("T")

SERVICES = ("genotyper", "phenotyper", "recommender")
PATIENCE_SECONDS = 90.0
"""How long a test waits for what must come; a loaded machine is slow."""


class Deployment:
    """Topics under a prefix of their own, a database of its own, and the three services as processes."""

    def __init__(self, broker: Broker, database_url: str, engine: str, folder: Path) -> None:
        self.broker = broker
        self.folder = folder
        own = {"database_url": database_url, "stream_engine": engine, "log_format": "json", "http_host": "127.0.0.1"}
        self.settings = broker.settings(**own)
        named = {"topic_prefix": self.settings.topic_prefix, "partitions": self.settings.partitions, **own}
        clean = {name: value for name, value in os.environ.items() if not name.startswith("PGX_")}
        self.environment = (
            clean | broker.environment | {f"PGX_{name.upper()}": str(value) for name, value in named.items()}
        )
        self._services: dict[str, Guarded] = {}

    def start(self) -> None:
        """Set up and start all services."""
        self.pgx("setup", check=True)
        for service in SERVICES:
            self.start_service(service)

    def stop(self) -> None:
        for service in list(self._services):
            self.stop_service(service)

    def start_service(self, service: str, instance: str | None = None) -> None:
        """Start a service, or a further copy of it under a name of its own, by which it is stopped."""
        command = [sys.executable, "-m", "cli.main", "run", service]
        named = {} if instance is None else {"PGX_INSTANCE": instance}
        name = instance or service
        self._services[name] = Guarded(command, self.log(name), self.environment | named)

    def stop_service(self, service: str) -> None:
        self._services.pop(service).stop()

    def log(self, service: str) -> Path:
        return self.folder / f"{service}.log"

    def running(self) -> list[str]:
        return [name for name, process in self._services.items() if process.running]

    def pgx(
        self,
        *arguments: str,
        check: bool = False,
        standard_input: bytes = b"",
        environment: Mapping[str, str] | None = None,
    ) -> "subprocess.CompletedProcess[bytes]":
        """Run a command against this deployment."""
        done = subprocess.run(
            [sys.executable, "-m", "cli.main", *arguments],
            env={**self.environment, **(environment or {})},
            cwd=self.folder,
            input=standard_input,
            capture_output=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        if check:
            assert done.returncode == 0, done.stderr.decode()
        return done

    def publish(self, *messages: tuple[bytes | None, bytes | None, Headers], topic: Topic = LAB_RESULT) -> None:
        """Publish lab results, or what another topic has, as they are given: key, value, headers."""
        name = self.settings.topic(topic)

        async def send() -> None:
            producer = Producer(self.settings, "test-laboratory")
            await producer.start()
            await producer.send([Outgoing(name, key, value, headers) for key, value, headers in messages])
            await producer.stop()

        asyncio.run(send())

    def publish_results(self, results: Iterable[Mapping[str, Any]]) -> None:
        """Publish lab results as bare objects, keyed as the contract says."""
        self.publish(*(bare(result) for result in results))

    def messages(self, topic: Topic) -> list[Message]:
        """What is on a topic now."""

        async def read() -> list[Message]:
            async with reading(self.settings, topic) as reader:
                return [message async for message in reader.existing()]

        return asyncio.run(read())

    def messages_of(self, tenant: str) -> list[Message]:
        """Everything on the topics about a tenant's patients."""
        topics = [topic for topic in TOPICS if topic is not KNOWLEDGE]
        return [one for topic in topics for one in self.messages(topic) if (one.key or b"").startswith(tenant.encode())]

    def recommendations(self, tenant: str) -> list[dict[str, Any]]:
        """The recommendation events of a tenant, in order for each patient."""
        key = f"{tenant}/".encode()
        told = [message.value for message in self.messages(RECOMMENDATION) if (message.key or b"").startswith(key)]
        return [json.loads(value) for value in told if value is not None]

    def dead_letters(self, key: bytes | None = None) -> list[dict[str, Any]]:
        """Dead letters (of one key) as their headers say, with ``value`` and ``key``."""
        letters = []
        for message in self.messages(DEAD_LETTER):
            headers = {name: (text or b"").decode() for name, text in message.headers}
            if "dlq_code" in headers and (key is None or message.key == key):
                letters.append({**headers, "value": message.value, "key": message.key})
        return letters

    def until(self, look: Callable[[], T], wanted: Callable[[T], bool], what: str) -> T:
        """Look until what is seen is what is wanted; fails with ``what`` when it does not come, or a service ended."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            seen = look()
            if wanted(seen):
                return seen
            ended = sorted(self._services.keys() - set(self.running()))
            assert not ended, f"{ended} ended:\n" + "\n".join(self._services[name].last_words() for name in ended)
            assert time.monotonic() < deadline, f"{what} did not come; last seen: {str(seen)[:2000]}"
            time.sleep(0.05)

    def wait_for_events(self, tenant: str, number: int) -> list[dict[str, Any]]:
        """The tenant's recommendation events, once there are so many."""
        return self.until(
            lambda: self.recommendations(tenant), lambda events: len(events) >= number, f"{number} events for {tenant}"
        )

    def settled(self, tenant: str) -> None:
        """Return when everything published so far has gone through: a last result on every partition came out."""
        markers = [f"settled-{number}" for number in range(8 * self.settings.partitions)]
        probe = f"{tenant}-settled-{time.monotonic_ns()}"
        self.publish_results(lab_result(tenant=probe, patient=f"p-{marker}", accession=marker) for marker in markers)
        self.wait_for_events(probe, len(markers))


def bare(result: Mapping[str, Any]) -> tuple[bytes, bytes, Headers]:
    """A lab result as a message that knows nothing of CloudEvents."""
    return f"{result['tenant']}/{result['patient']}".encode(), json.dumps(result).encode(), ()


def lab_result(**fields: Any) -> dict[str, Any]:
    """A small valid lab result; ``fields`` replace what they name."""
    return {
        "tenant": "mercy", "patient": "p-1", "accession": "A-1", "laboratory": "lab", "status": "final", "version": 1,
        "issued": "2026-11-23T10:00:00Z", "assembly": "GRCh38",
        "reported": [{"gene": "CYP2C19", "diplotype": "*2/*2"}],
        **fields,
    }  # fmt: skip
