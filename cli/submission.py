"""A lab result on its way to the bus: validated as the genotyper will, and put into a message of its own."""

from dataclasses import dataclass

import orjson

from runtime.message import Outgoing
from runtime.settings import Settings
from schemas.cloudevents import Event, headers_of, is_envelope, read_lab_result
from schemas.lab_result import LabResult
from schemas.topics import LAB_RESULT


@dataclass(frozen=True, slots=True)
class Submission:
    """A lab result that can be sent: the event, and the value it is sent with."""

    event: Event[LabResult]
    value: bytes

    def message(self, settings: Settings) -> Outgoing:
        """In CloudEvents binary mode, keyed by the patient. Nothing in it is taken from the clock."""
        event = self.event
        headers = headers_of(
            LAB_RESULT, id=event.id, source=event.source, time=event.time, traceparent=event.traceparent
        )
        return Outgoing(settings.topic(LAB_RESULT), event.data.key.encode(), self.value, tuple(headers))


def submission(document: bytes) -> Submission:
    """Check a document (a lab result, or an envelope around one). Raises ``Rejected``.

    The value is the document without its white space: fields that we do not know go on to the genotyper, which names
    them in a warning, and a file that was only laid out anew is the same event.
    """
    event = read_lab_result(document)
    content = orjson.loads(document)
    return Submission(event, orjson.dumps(content["data"] if is_envelope(content) else content))
