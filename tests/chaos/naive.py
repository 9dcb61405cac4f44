"""The consumer as one would first write it with Faust: ``async for``, acknowledged by Faust itself.

It exists to show that the oracle of the campaign sees losses. Faust acknowledges an event when the loop goes on or
ends, also by an error in its body: an event at which the code around the domain fails is never seen again.
"""

from typing import Any

import faust
from mode.supervisors import OneForOneSupervisor

from runtime.engines import Handle, faust_engine
from runtime.engines.faust_engine import _message, _partition


def install() -> None:
    """Let every Faust engine of this process consume this way."""
    faust_engine.FaustEngine._consume = _consume  # type: ignore[method-assign]
    faust_engine._App.__init__ = _with_default_supervisor(faust_engine._App.__init__)  # type: ignore[method-assign]


def _consume(self: Any, app: faust.App, handle: Handle, failure: object) -> None:
    source = app.topic(
        *self._subscription.topics, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw"
    )

    async def consume(stream: Any) -> None:
        async for event in stream.events():
            self._progress.begin_batch()
            await handle([_message(event)])
            self._progress.end_batch({_partition(event): event.message.offset + 1})

    app.agent(source, name="consume", concurrency=1)(consume)


def _with_default_supervisor(original: Any) -> Any:
    def initialise(self: Any, *arguments: Any, **named: Any) -> None:
        original(self, *arguments, **named)
        self.conf.agent_supervisor = OneForOneSupervisor

    return initialise
