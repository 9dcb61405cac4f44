"""Phenotypes and clinical context to recommendation events: the only stage with state. One transaction a batch."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import NamedTuple
from uuid import NAMESPACE_URL, UUID, uuid5

from runtime.stage import attempt
from schemas.clinical_context import ClinicalContext, content_sha256
from schemas.cloudevents import Event, derived_id
from schemas.errors import Rejected
from schemas.lab_result import parse_instant
from schemas.phenotype import PhenotypeAssigned
from services.recommender.body import body_of
from services.recommender.context.current import Statement
from services.recommender.interpretation import Governing, Interpret, as_delivered
from services.recommender.merging import Delivery
from services.recommender.patient import Acceptance
from services.recommender.publication import history_row, outbox_row
from services.recommender.screening import screen
from services.recommender.state import Releases
from services.recommender.store import Store
from services.recommender.store.erasures import erased
from services.recommender.store.rows import HistoryRow, InboxRow, OutboxRow, ResultRow, StatementRow
from services.recommender.store.unit import PatientKey, Stored, Unit
from services.recommender.view import View, view

STAGE = "recommender"
REVISION = 1
"""Revision of this stage's code: raised whenever the same input under the same release gives another output."""


Taken = Event[PhenotypeAssigned] | Event[ClinicalContext]
"""What is taken in."""


class Failure(NamedTuple):
    """An event that could not be taken in, and why; it has had no effect."""

    event: Taken
    reason: Rejected


class Effect(NamedTuple):
    """What one event does to the store."""

    acceptance: Acceptance
    row: ResultRow | StatementRow | None
    inbox: InboxRow
    history: HistoryRow | None
    outbox: OutboxRow | None


class Recommender:
    """Takes events into the store and puts the recommendation events they make into its outbox."""

    def __init__(self, store: Store, releases: Releases, interpret: Interpret = as_delivered) -> None:
        """``interpret`` reads results that were called under another release than the one that governs."""
        self._store = store
        self._releases = releases
        self._interpret = interpret

    async def handle(self, batch: Sequence[Taken]) -> tuple[Failure, ...]:
        """Take in a batch, in order, in one transaction; an event that was handled before has no effect.

        An event that the domain rejects, or fails on twice, is given back and does not disturb the others.
        Safe to repeat as a whole. Raises what the database raises.
        """
        screened = [(event, attempt(partial(_screen, event))) for event in batch]
        failures = [Failure(event, refusal) for event, refusal in screened if refusal is not None]
        fit = [event for event, refusal in screened if refusal is None]
        if not fit:
            return tuple(failures)
        async with self._store.transaction() as unit:
            await unit.lock(set(map(_key, fit)), self._interpret)
            handled = await unit.handled(map(_inbox_id, fit))
            gone = await erased(unit.connection, set(map(_key, fit)))
            unseen = [event for event in fit if _inbox_id(event) not in handled and not _erased(event, gone)]
            patients = await unit.patients(set(map(_key, unseen)))
            to_come = Counter(map(_key, unseen))
            for event in unseen:
                stored = patients[_key(event)]
                if _inbox_id(event) not in handled:
                    governing = unit.activations.governing(stored.patient.tenant)
                    effect = attempt(partial(self._take_in, stored, event, governing))
                    if isinstance(effect, Rejected):
                        failures.append(Failure(event, effect))
                    else:
                        handled.add(_inbox_id(event))
                        _collect(unit, stored, effect)
                to_come[_key(event)] -= 1
                if not to_come[_key(event)]:
                    stored.view = _view(stored)
                    stored.patient = stored.patient.without_state()  # a batch of them would not fit into memory
                await asyncio.sleep(0)  # a batch takes a while: heartbeats and health checks must get their turn
            await unit.save()
        return tuple(failures)

    def _take_in(self, stored: Stored, event: Taken, governing: Governing | None) -> Effect:
        if isinstance(event.data, ClinicalContext):
            return self._of_statement(stored, event, event.data, governing)
        return self._of_delivery(stored, event, event.data, governing)

    def _of_statement(self, stored: Stored, event: Taken, said: ClinicalContext, governing: Governing | None) -> Effect:
        statement = Statement(said, content_sha256(said), event.source, event.id)
        accepted = stored.patient.accept_statement(statement, self._releases, governing)
        return _effect(stored, accepted, StatementRow.of(stored.id, accepted.ordinal, statement), event)

    def _of_delivery(
        self, stored: Stored, event: Taken, data: PhenotypeAssigned, governing: Governing | None
    ) -> Effect:
        delivery, genotype = Delivery.of(data), data.genotype
        accepted = stored.patient.accept(delivery, self._releases, governing)
        row = ResultRow.of(
            stored.id, accepted.ordinal, delivery, genotype.software, genotype.observed, genotype.warnings
        )
        return _effect(stored, accepted, row, event)


def _effect(stored: Stored, accepted: Acceptance, row: ResultRow | StatementRow, event: Taken) -> Effect:
    """``row`` names the event from outside that brought the input."""
    outbox, history = None, None
    notice = accepted.notice
    if notice is not None:
        body = body_of(notice)
        id_ = derived_id(event, STAGE, notice.knowledge.release, REVISION)
        outbox = outbox_row(notice, body, id_, event.time, event.traceparent)
        history = history_row(stored, accepted.patient, notice, body, accepted.ordinal)
    sequence = None if notice is None else notice.sequence
    inbox = InboxRow(_inbox_id(event), row.event_source, row.event_id, stored.id, accepted.ordinal, sequence)
    return Effect(accepted, row if accepted.new else None, inbox, history, outbox)


def _view(stored: Stored) -> View | None:
    """The view of a state that was computed in this batch; None where nothing was."""
    if stored.patient.state is None:
        return None
    return view(stored.patient.state, [one.statement for one in stored.patient.statements.values()])


def _screen(event: Taken) -> None:
    # What hospitals say is read strictly when it is decoded.
    if isinstance(event.data, PhenotypeAssigned):
        screen(event.data)


def _collect(unit: Unit, stored: Stored, effect: Effect) -> None:
    accepted = effect.acceptance
    stored.patient = accepted.patient
    if accepted.superseded is not None:
        unit.supersede(stored.id, *accepted.superseded)
    match effect.row:
        case ResultRow() as result:
            unit.results.append(result)
        case StatementRow() as statement:
            unit.statements.append(statement)
    unit.inbox.append(effect.inbox)
    if effect.history is not None:
        unit.history.append(effect.history)
    if effect.outbox is not None:
        unit.outbox.append(effect.outbox)


def _key(event: Taken) -> PatientKey:
    about = event.data if isinstance(event.data, ClinicalContext) else event.data.genotype
    return (about.tenant, about.patient)


def _erased(event: Taken, gone: Mapping[PatientKey, datetime]) -> bool:
    """Whether the patient was erased after the event had been published: then it has no effect."""
    return (at := gone.get(_key(event))) is not None and parse_instant(event.time, "ce_time") <= at


def _inbox_id(event: Taken) -> UUID:
    """Ids of our own events are UUIDs made from all that identifies them; any other is made one in the same way."""
    if isinstance(event.data, ClinicalContext):
        return UUID(derived_id(event, STAGE, "", 0))
    try:
        return UUID(event.id)
    except ValueError:
        return uuid5(NAMESPACE_URL, f"{event.source}#{event.id}")
