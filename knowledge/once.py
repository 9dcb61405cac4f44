"""What is prepared from a release once, for as long as the process lives: it knows a handful of releases."""

from collections.abc import Callable
from functools import wraps
from typing import TypeVar

from knowledge.release import Release

T = TypeVar("T")


def once(prepare: Callable[[Release], T]) -> Callable[[Release], T]:
    """``prepare``, whose value is kept: releases of the same content share one."""
    prepared: dict[str, T] = {}

    @wraps(prepare)
    def known(release: Release) -> T:
        if release.sha256 not in prepared:
            prepared[release.sha256] = prepare(release)
        return prepared[release.sha256]

    return known
