"""A network link that can fail: ``python -m tests.chaos.proxy LISTEN TARGET``, each ``tcp:PORT`` or ``unix:PATH``.

Between a client and a server on this machine, without privileges. Says ``ready`` on standard output; orders come as
lines on standard input: ``cut`` (nothing passes, nothing is closed: as a pulled cable), ``heal``, ``slow SECONDS``
(each piece takes so much longer), ``reset`` (every connection is closed). It ends when standard input does.
"""

import asyncio
import contextlib
import sys
from collections.abc import Coroutine
from typing import Any

_PIECE_BYTES = 64 * 1024
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Link:
    """The state of the link, and the connections over it."""

    def __init__(self, target: str) -> None:
        self._target = target
        self._whole = asyncio.Event()
        self._whole.set()
        self._slow = 0.0
        self._open: set[asyncio.StreamWriter] = set()

    def obey(self, line: str) -> None:
        match line.split():
            case ["cut"]:
                self._whole.clear()
            case ["heal"]:
                self._slow = 0.0
                self._whole.set()
            case ["slow", seconds]:
                self._slow = float(seconds)
            case ["reset"]:
                for writer in self._open:
                    writer.transport.abort()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client's connection, to its end."""
        self._open.add(writer)
        with contextlib.suppress(OSError):
            await self._whole.wait()
            further, onward = await _connected(self._target)
            self._open.add(onward)
            await _first_of(self._pass(reader, onward), self._pass(further, writer))
            self._open.discard(onward)
            onward.close()
        self._open.discard(writer)
        writer.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while piece := await reader.read(_PIECE_BYTES):
                if self._slow:
                    await asyncio.sleep(self._slow)
                await self._whole.wait()
                writer.write(piece)
                await writer.drain()
            # A cut link does not tell that the other side has gone, either.
            await self._whole.wait()


async def _first_of(*works: Coroutine[Any, Any, None]) -> None:
    tasks = [asyncio.ensure_future(work) for work in works]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


async def _connected(place: str) -> Streams:
    kind, _, where = place.partition(":")
    if kind == "unix":
        return await asyncio.open_unix_connection(where)
    return await asyncio.open_connection("127.0.0.1", int(where))


async def main(listen: str, target: str) -> None:
    link = Link(target)
    kind, _, where = listen.partition(":")
    if kind == "unix":
        await asyncio.start_unix_server(link.serve, where)
    else:
        await asyncio.start_server(link.serve, "127.0.0.1", int(where))
    print("ready", flush=True)
    orders = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    while line := await orders.readline():
        link.obey(line.decode())


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
