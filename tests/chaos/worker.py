"""One real service as a process in which something can go wrong on purpose: ``python -m tests.chaos.worker SERVICE``.

Orders come as lines on standard input, and first from ``CHAOS_ORDERS`` (separated by ``;``):

- ``ACTION POINT NUMBER``: at the NUMBER-th passing of the point from now on. Actions: ``kill`` (SIGKILL to itself),
  ``raise`` (an error of the shell), ``slow:SECONDS`` (every passing from then on takes so much longer).
- ``bug SERVICE TEXT``: the domain code fails for every event whose accession contains TEXT.
- ``clock SECONDS``: the wall clock is off by so much from now on.
- ``naive``: the consumer acknowledges as Faust does when it is left alone.

It ends when standard input does, so that no process outlives the test. What happens on order is said on standard error.
"""

import faulthandler
import functools
import importlib
import os
import signal
import sys
import threading
import time
from dataclasses import dataclass
from typing import Any

from cli.run import main_of
from runtime.settings import Settings
from schemas.cloudevents import Event
from tests.chaos import points

_HANDLERS = {
    "genotyper": ("services.genotyper.handler", "Genotyper", "handle"),
    "phenotyper": ("services.phenotyper.handler", "Phenotyper", "handle"),
    "recommender": ("services.recommender.handler", "Recommender", "_take_in"),
}


class ShellError(Exception):
    """Raised on order, as a bug around the domain code would be."""


@dataclass(slots=True)
class _Order:
    action: str
    point: str
    left: int


class Orders:
    """What is to happen at which point."""

    def __init__(self) -> None:
        self._orders: list[_Order] = []
        self._lock = threading.Lock()

    def add(self, action: str, point: str, number: int) -> None:
        with self._lock:
            self._orders.append(_Order(action, point, number))

    def passing(self, point: str) -> None:
        """The process passes a point, in any of its threads."""
        if not self._orders:
            return
        due: list[_Order] = []
        with self._lock:
            for order in self._orders:
                if order.point == point:
                    order.left -= 1
                    if order.left <= 0:
                        due.append(order)
            self._orders = [one for one in self._orders if one not in due or one.action.startswith("slow")]
        for order in due:
            _happen(order)


def _happen(order: _Order) -> None:
    kind, _, amount = order.action.partition(":")
    if kind == "slow":
        time.sleep(float(amount))
        return
    _say(f"{kind} at {order.point}")
    if kind == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    raise ShellError(f"on order, at {order.point}")


def _obey(line: str, stage: str, orders: Orders) -> None:
    match line.split():
        case ["naive"]:
            from tests.chaos import naive

            naive.install()
        case ["clock", seconds]:
            time.time = functools.partial(_off_by, time.time_ns, float(seconds))
        case ["bug", wanted, text]:
            if wanted == stage:
                _break_domain(stage, text)
        case [action, point, number]:
            orders.add(action, point, int(number))


def _off_by(now: Any, seconds: float) -> float:
    return float(now()) / 1e9 + seconds


def _break_domain(stage: str, text: str) -> None:
    module, owner, name = _HANDLERS[stage]
    holder = getattr(importlib.import_module(module), owner)
    original = getattr(holder, name)

    @functools.wraps(original)
    def broken(self: Any, *arguments: Any) -> Any:
        data = next(argument for argument in arguments if isinstance(argument, Event)).data
        if hasattr(data, "statement"):
            return original(self, *arguments)
        accession = getattr(data, "accession", None) or getattr(data, "genotype", data).result.accession
        if text in accession:
            raise ZeroDivisionError("on order, in the domain code")
        return original(self, *arguments)

    setattr(holder, name, broken)


def _listen(stage: str, orders: Orders) -> None:
    for line in sys.stdin:
        _obey(line, stage, orders)
    os.kill(os.getpid(), signal.SIGKILL)


def _say(what: str) -> None:
    os.write(2, f'{{"chaos": "{what}"}}\n'.encode())


def main(stage: str) -> int:
    faulthandler.register(signal.SIGUSR1)  # where it stands, for a process that hangs
    orders = Orders()
    points.install(stage, orders.passing)
    for line in filter(None, os.environ.get("CHAOS_ORDERS", "").split(";")):
        _obey(line, stage, orders)
    threading.Thread(target=_listen, args=(stage, orders), daemon=True).start()
    return main_of(stage)(Settings.load())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
