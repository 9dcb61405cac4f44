"""Publishes the outbox: in order for each patient, confirmed before a row goes, one relay at a time for each lane.

A lane belongs to the session that holds its advisory lock. A relay whose session is lost stops at once, also in the
middle of a send, so that the one that takes over does not publish beside it. What was sent but not yet deleted is sent
again, with the same id and sequence.
"""

import asyncio
import time
from contextlib import suppress
from typing import Any

import asyncpg
import orjson

from runtime.exits import Unreachable
from runtime.logs import logger
from runtime.message import Outgoing
from runtime.metrics import Metrics
from runtime.producer import Producer
from runtime.retry import Fault, describe
from runtime.settings import Settings
from schemas.topics import RECOMMENDATION
from services.recommender.body import unpack
from services.recommender.lanes import LANES
from services.recommender.store.connection import connect, transient, unreachable
from services.recommender.store.unit import WAKE_RELAY

_BATCH = 50
_POLL_SECONDS = 1.0
"""Backstop for a lost notification, and how often lanes are shared out anew and the backlog is measured."""
_ANSWER_SECONDS = 5.0
_PAUSE_SECONDS = (0.1, 2.0)
_log = logger(__name__)

# Two keys make one lock: this space, and the lane or, for its members, a presence above all lanes.
_SPACE = 0x50475852
_PRESENCE = LANES

_SILENT_SECONDS = 10.0
"""A session that asks nothing for so long is ended: it asks every second, also while events are sent."""

# The session of a relay that vanished or stands still must end soon, or its lanes would stand still.
_KEEPALIVE = """
SELECT set_config('tcp_keepalives_idle', '5', false), set_config('tcp_keepalives_interval', '3', false),
       set_config('tcp_keepalives_count', '3', false), set_config('idle_session_timeout', $1, false)
"""
_TAKE = "SELECT pg_try_advisory_lock($1, $2)"
_GIVE = "SELECT pg_advisory_unlock($1, $2)"
_MEMBERS = """
SELECT count(*) FROM pg_locks
WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND classid::bigint = $1 AND objid::bigint = $2 AND objsubid = 2 AND granted
"""
# In the order of a patient's events: who has an event in the foreground has none in the background.
_NEXT = f"""
SELECT id, key, headers, body FROM outbox WHERE lane = ANY ($1::smallint[]) AND background = $2
ORDER BY id LIMIT {_BATCH}
"""  # noqa: S608
_DONE = "DELETE FROM outbox WHERE id = ANY ($1::bigint[])"
_BACKLOG = "SELECT count(*) AS depth, coalesce(extract(epoch FROM now() - min(recorded)), 0) AS age FROM outbox"


class Relay:
    """The outbox relay of one process. ``run`` it beside the recommender; ``fault`` is a readiness check."""

    def __init__(self, settings: Settings, producer: Producer, metrics: Metrics | None = None) -> None:
        """``producer`` is the relay's alone: it is cut off when the session is lost."""
        self._settings = settings
        self._producer = producer
        self._topic = settings.topic(RECOMMENDATION)
        self.fault = Fault()
        self.depth = 0
        self._oldest: float | None = None
        self._moved = time.monotonic()
        if metrics is not None:
            metrics.gauge("pgx_outbox_depth", "Recommendation events not yet confirmed", lambda: self.depth)
            metrics.gauge(
                "pgx_outbox_oldest_seconds",
                "Age of the oldest recommendation event that is not confirmed; 0 when there is none",
                lambda: self.oldest_seconds,
            )

    @property
    def oldest_seconds(self) -> float:
        """Age of the oldest event that is not confirmed; it goes on growing while the database does not answer."""
        return 0.0 if self._oldest is None else time.monotonic() - self._oldest

    def stalled(self) -> str | None:
        """A watchdog: None while events go out, nothing waits in the lanes held, or the faults are waited out."""
        age = time.monotonic() - self._moved
        if age <= self._settings.stuck_seconds:
            return None
        return f"the relay has neither sent an event nor found that there is none for {age:.0f} s"

    async def run(self) -> None:
        """Publish until cancelled.

        Raises:
            Unreachable: the database stayed away, or the brokers did, for longer than the patience.
        """
        self._moved = time.monotonic()
        failing_since: float | None = None
        pause = _PAUSE_SECONDS[0]
        while True:
            session = await _Session.open(self._settings, self.fault)
            began = time.monotonic()
            try:
                await self._serve(session)
            except Exception as error:
                if isinstance(error, Unreachable) or not (transient(error) or session.lost.is_set()):
                    raise
                reason = describe(error)
            finally:
                await session.close()
            self.fault.reason = reason
            _log.warning("relay lost its session", reason=reason)
            now = time.monotonic()
            if now - began > self._settings.patience or failing_since is None:
                failing_since, pause = now, _PAUSE_SECONDS[0]
            elif now - failing_since > self._settings.patience:
                raise unreachable(self._settings, f"the relay's sessions were lost again and again, the last: {reason}")
            await asyncio.sleep(pause)
            pause = min(2 * pause, _PAUSE_SECONDS[1])

    async def _serve(self, session: "_Session") -> None:
        shared = 0.0
        while True:
            if time.monotonic() - shared > _POLL_SECONDS:
                await session.share()
                await self._measure(session)
                shared = time.monotonic()
            session.news.clear()
            rows = await session.next()
            self._moved = time.monotonic()
            self.fault.reason = None
            if not rows:
                with suppress(TimeoutError):
                    async with asyncio.timeout(_POLL_SECONDS):
                        await session.news.wait()
                continue
            await self._send(session, [self._message(row) for row in rows])
            await session.done([row["id"] for row in rows])

    async def _send(self, session: "_Session", messages: list[Outgoing]) -> None:
        """Send for as long as the session lives; a lost one cuts it off. Raises ConnectionError then."""
        sending = asyncio.ensure_future(self._producer.send(messages))
        watching = asyncio.ensure_future(self._until_lost(session))
        try:
            await asyncio.wait({sending, watching}, return_when=asyncio.FIRST_COMPLETED)
            if not sending.done():
                raise ConnectionError("the database session ended while events were being sent")
            await sending
        finally:
            for task in (sending, watching):
                task.cancel()
            await asyncio.wait({sending, watching})

    async def _until_lost(self, session: "_Session") -> None:
        """A cut network ends a session without a word: only an answer shows that it lives."""
        # Not ``wait_for``: before Python 3.12 it can swallow a cancellation that comes as the awaited is done, and the
        # relay would wait for this task for ever.
        while not session.lost.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(_POLL_SECONDS):
                    await session.lost.wait()
                return
            try:
                async with asyncio.timeout(_ANSWER_SECONDS):
                    await self._measure(session)
            except Exception:
                session.lost.set()

    async def _measure(self, session: "_Session") -> None:
        self.depth, age = await session.backlog()
        self._oldest = time.monotonic() - age if self.depth else None

    def _message(self, row: asyncpg.Record) -> Outgoing:
        headers = tuple((name, value.encode()) for name, value in orjson.loads(row["headers"]))
        body = None if row["body"] is None else unpack(row["body"])
        return Outgoing(self._topic, row["key"].encode(), body, headers)


class _Session:
    """A database session that holds lanes. ``lost`` and ``news`` are set by the connection's own listeners."""

    def __init__(self, connection: "asyncpg.Connection[Any]") -> None:
        self._connection = connection
        self._held: set[int] = set()
        self.lost = asyncio.Event()
        self.news = asyncio.Event()

    @classmethod
    async def open(cls, settings: Settings, fault: Fault) -> "_Session":
        connection = await connect(settings, "relay", fault)
        session = cls(connection)
        connection.add_termination_listener(session._on_end)
        try:
            await connection.execute(_KEEPALIVE, f"{_SILENT_SECONDS:.0f}s")
            await connection.execute("SELECT pg_advisory_lock_shared($1, $2)", _SPACE, _PRESENCE)
            await connection.add_listener(WAKE_RELAY, session._on_news)
        except BaseException:
            connection.terminate()
            raise
        return session

    async def close(self) -> None:
        """End the session, and with it the hold on its lanes."""
        with suppress(Exception):
            async with asyncio.timeout(_ANSWER_SECONDS):
                await self._connection.close()
        self._connection.terminate()

    async def share(self) -> None:
        """Take free lanes up to a fair share of them, give back what is above it."""
        members = await self._connection.fetchval(_MEMBERS, _SPACE, _PRESENCE)
        share = -(-LANES // max(1, members))
        for lane in sorted(self._held)[share:]:
            await self._connection.execute(_GIVE, _SPACE, lane)
            self._held.discard(lane)
        for lane in range(LANES):
            if len(self._held) >= share:
                break
            if lane not in self._held and await self._connection.fetchval(_TAKE, _SPACE, lane):
                self._held.add(lane)

    async def next(self) -> list[asyncpg.Record]:
        """The oldest events of the lanes held, those in the background only where there are no others. That this
        answers shows that the lanes are still held."""
        if not self._held:
            return []
        urgent = await self._connection.fetch(_NEXT, sorted(self._held), False)
        return urgent or await self._connection.fetch(_NEXT, sorted(self._held), True)

    async def done(self, ids: list[int]) -> None:
        await self._connection.execute(_DONE, ids)

    async def backlog(self) -> tuple[int, float]:
        """How many events wait, and for how many seconds the oldest has."""
        row = await self._connection.fetchrow(_BACKLOG)
        return (row["depth"], float(row["age"])) if row is not None else (0, 0.0)

    def _on_end(self, connection: object) -> None:
        self.lost.set()
        self.news.set()

    def _on_news(self, *about: object) -> None:
        self.news.set()
