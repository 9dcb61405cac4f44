"""Lanes of the outbox: a patient's events are all in one, so that lanes can be published side by side."""

from zlib import crc32

LANES = 16


def lane_of(key: str) -> int:
    """The lane of a message key."""
    return crc32(key.encode()) % LANES
