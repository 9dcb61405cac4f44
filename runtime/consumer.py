"""aiokafka's consumer, which ends when it is told to."""

import asyncio

from aiokafka import AIOKafkaConsumer


class Consumer(AIOKafkaConsumer):  # type: ignore[misc]
    """As aiokafka's, but ``stop`` does not look cancelled to whoever called it.

    While a broker is away, fetches wait before they try again. aiokafka (0.14) cancels them when it stops and lets that
    cancellation out as if it were its caller's: what the caller had still to end would go on for ever.
    """

    async def stop(self) -> None:
        """Leave the group and disconnect."""
        try:
            await super().stop()
        except asyncio.CancelledError:
            if (caller := asyncio.current_task()) is None or caller.cancelling():
                raise
            await self._client.close()
