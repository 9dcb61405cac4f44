"""Record batches whose header names are not UTF-8, as the protocol wants them to be.

aiokafka raises in the middle of such a batch, so that one message of one careless or hostile client would end every
consumer of its partition for ever. Here the batch is read once more, with the name's odd bytes written as ``\\xff``.
"""

from collections.abc import Iterator
from typing import Any

from aiokafka.consumer import fetcher
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import _MemoryRecordsPy


class _Bytes(bytes):
    def decode(self, encoding: str = "utf-8", errors: str = "backslashreplace") -> str:
        return super().decode(encoding, errors)


class _Buffer(bytearray):
    def __getitem__(self, place: Any) -> Any:
        found = super().__getitem__(place)
        return _Bytes(found) if isinstance(place, slice) else found


class _LenientBatch(_DefaultRecordBatchPy):  # type: ignore[misc]
    _buffer: Any

    def _read_msg(self, *arguments: Any) -> Any:
        if not isinstance(self._buffer, _Buffer):
            self._buffer = _Buffer(self._buffer)
        return super()._read_msg(*arguments)


class _Batch:
    """A batch as the fetcher uses it; only the reading of its records is different."""

    def __init__(self, batch: Any, raw: Any) -> None:
        self._batch = batch
        self._raw = raw

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __next__(self) -> Any:
        return next(self._batch)

    def __iter__(self) -> Iterator[Any]:
        try:
            records = list(self._batch)
        except UnicodeDecodeError:
            records = list(_LenientBatch(bytes(self._raw)))
        return iter(records)


class LenientRecords(_MemoryRecordsPy):  # type: ignore[misc]
    """The record batches of one partition's fetch."""

    def next_batch(self, *arguments: Any) -> Any:
        raw = self._next_slice
        batch = super().next_batch(*arguments)
        return None if batch is None else _Batch(batch, raw)


def install() -> None:
    """Let aiokafka's consumers in this process read batches this way; it has no setting for it."""
    fetcher.MemoryRecords = LenientRecords
