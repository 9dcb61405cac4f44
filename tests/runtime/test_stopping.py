"""Work that an orderly stop interrupts."""

import asyncio

import pytest

from runtime.stopping import unless


async def for_ever() -> None:
    await asyncio.Event().wait()


async def fails() -> None:
    raise ZeroDivisionError


async def test_work_is_done_where_no_stop_comes() -> None:
    done = asyncio.Event()
    assert await unless(asyncio.Event(), asyncio.to_thread(done.set))
    assert done.is_set()


async def test_a_stop_ends_the_work_and_waits_until_it_has_ended() -> None:
    stop, begun, undone = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()
        try:
            await for_ever()
        finally:
            await asyncio.sleep(0)
            undone.set()

    waiting = asyncio.create_task(unless(stop, work()))
    await begun.wait()
    stop.set()
    assert not await waiting
    assert undone.is_set()


async def test_work_that_is_begun_after_the_stop_has_its_grace_too() -> None:
    stop = asyncio.Event()
    stop.set()
    assert await unless(stop, asyncio.sleep(0.01), grace=60)
    assert not await unless(stop, for_ever(), grace=0.01)


async def test_what_the_work_raises_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        await unless(asyncio.Event(), fails())


async def test_a_caller_that_is_cancelled_leaves_nothing_behind() -> None:
    before = asyncio.all_tasks()
    waiting = asyncio.create_task(unless(asyncio.Event(), for_ever()))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert asyncio.all_tasks() == before
