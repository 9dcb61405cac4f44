"""What hospitals and laboratories say on its way to the bus: validated as its reader will, in a message of its own."""

from dataclasses import dataclass

import orjson

from runtime.message import Outgoing
from runtime.settings import Settings
from schemas.clinical_context import ClinicalContext
from schemas.cloudevents import Event, headers_of, is_envelope, read_clinical_context, read_lab_result
from schemas.lab_result import LabResult
from schemas.topics import CLINICAL_CONTEXT, LAB_RESULT, Topic


@dataclass(frozen=True, slots=True)
class Submission:
    """A lab result or a statement of clinical context that can be sent: the event, and the value it is sent with."""

    event: Event[LabResult] | Event[ClinicalContext]
    value: bytes

    @property
    def name(self) -> str:
        """What its sender calls it: the accession, or the statement."""
        data = self.event.data
        return data.accession if isinstance(data, LabResult) else data.statement

    @property
    def unknown_fields(self) -> tuple[str, ...]:
        """Fields of a statement that nobody reads; those of a lab result are named in its results' warnings."""
        return self.event.data.unknown_fields if isinstance(self.event.data, ClinicalContext) else ()

    def message(self, settings: Settings) -> Outgoing:
        """In CloudEvents binary mode, keyed by the patient. Nothing in it is taken from the clock."""
        event, topic = self.event, self._topic
        headers = headers_of(topic, id=event.id, source=event.source, time=event.time, traceparent=event.traceparent)
        return Outgoing(settings.topic(topic), event.data.key.encode(), self.value, tuple(headers))

    @property
    def _topic(self) -> Topic:
        return LAB_RESULT if isinstance(self.event.data, LabResult) else CLINICAL_CONTEXT


def submission(document: bytes) -> Submission:
    """Check a document (a lab result, a statement, or an envelope around one). Raises ``Rejected``.

    The value is the document without its white space: fields that we do not know go on to the genotyper, which names
    them in a warning, and a file that was only laid out anew is the same event.
    """
    event = read_clinical_context(document) if is_clinical_context(document) else read_lab_result(document)
    content = orjson.loads(document)
    return Submission(event, orjson.dumps(content["data"] if is_envelope(content) else content))


def is_clinical_context(document: bytes) -> bool:
    """Whether a document is a statement: by the type of its envelope, or by having a statement and no accession."""
    try:
        content = orjson.loads(document)
    except orjson.JSONDecodeError:
        return False
    if is_envelope(content) and content.get("type") is not None:
        return str(content["type"]).startswith(CLINICAL_CONTEXT.name.rpartition(".v")[0] + ".v")
    return isinstance(content, dict) and "statement" in content and "accession" not in content
