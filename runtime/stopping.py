"""Work that an orderly stop interrupts."""

import asyncio
from collections.abc import Coroutine
from typing import Any


async def unless(stop: asyncio.Event, work: Coroutine[Any, Any, Any], grace: float = 0.0) -> bool:
    """Do the work, unless it is not done ``grace`` seconds after ``stop``: then it is cancelled. Whether it was done.

    Work that is begun after ``stop`` has the same seconds. Raises what the work raises.
    """
    task, stopping = asyncio.ensure_future(work), asyncio.ensure_future(_after(stop, grace))
    try:
        await asyncio.wait({task, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            task.result()
            return True
        return False
    finally:
        for each in (task, stopping):
            each.cancel()
        await asyncio.wait({task, stopping})


async def _after(stop: asyncio.Event, seconds: float) -> None:
    await stop.wait()
    await asyncio.sleep(seconds)
