"""``pgx knowledge activate`` as people see it: progress, what was done, what would be done."""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

import orjson

from cli.activation import Choice
from cli.activation import activate as run
from cli.environment import settings
from cli.exits import Failure
from cli.forecast import Forecast, forecast
from cli.sweep import Pace, make_way
from cli.terminal import say, waiting, write_line
from runtime.exits import Exit
from services.recommender.reinterpretation import Progress
from services.recommender.store.activations import Activated

_TOLD_EVERY = 10_000
"""Patients between two lines of progress where no terminal shows it."""
_SHOWN = 20
"""Drugs and changes listed, the most frequent first."""
_NAMED = 10


def activate(choice: Choice, pace: Pace, as_json: bool) -> None:
    """Make a choice of release. Raises ``Failure``, also where patients could not be evaluated; ``Unreachable``,
    ``NotSetUp``."""
    if pace.processes == 1:
        make_way()
    with waiting(f"activating {_wanted(choice)} for {_whom(choice)}") as status:
        told = _Told(status.update if status is not None else say, always=status is not None)
        activated, progress = asyncio.run(run(settings(), choice, pace, told))
    if as_json:
        write_line(orjson.dumps(_summary(activated, progress)))
    else:
        again = f"{choice.tenant} follows the choice for all tenants: " if activated.follows else ""
        write_line(
            f"{again}knowledge release {activated.knowledge.release} governs {_whom(choice)}: {progress.examined:,} "
            f"patients came under it now, {progress.recomputed:,} evaluated one by one, the advice of "
            f"{progress.published:,} changed"
        )
    if progress.failed:
        names = ", ".join(progress.failed[:_NAMED])
        raise Failure(
            Exit.REFUSED,
            f"{len(progress.failed)} patients could not be evaluated and stay under the release before: {names}",
            "The log lines above say why. Give the same command again when that is put right.",
        )


def foresee(choice: Choice, as_json: bool) -> None:
    """Say what a choice of release would do. Raises ``Failure``, ``Unreachable``, ``NotSetUp``."""
    found = foreseen(choice, examples=choice.tenant is not None)
    if as_json:
        write_line(orjson.dumps(_forecast(choice, found)))
        return
    write_line(
        f"{found.patients:,} patients would come under {found.release}; the advice of {found.affected:,} would change"
    )
    for name, counted in (("genes", found.genes), ("drugs", found.drugs)):
        if counted:
            write_line(f"{name}: " + ", ".join(f"{one} {number:,}" for one, number in _most(counted)))
    for text, number in _most(found.changes):
        examples = found.examples.get(text)
        write_line(f"  {number:>9,}  {text}" + (f"  for example {', '.join(examples)}" if examples else ""))
    if len(found.changes) > _SHOWN:
        write_line(f"  and {len(found.changes) - _SHOWN} more kinds of change; --json has them all")


def foreseen(choice: Choice, *, examples: bool) -> Forecast:
    """What a choice of release would do, with progress shown. Raises ``Failure``, ``Unreachable``, ``NotSetUp``."""
    with waiting(f"looking at the patients of {_whom(choice)} under {_wanted(choice)}") as status:
        told = _Told(status.update if status is not None else say, always=status is not None)
        return asyncio.run(forecast(settings(), choice, told.patients, examples=examples))


def _whom(choice: Choice) -> str:
    return "all tenants" if choice.tenant is None else choice.tenant


def _wanted(choice: Choice) -> str:
    return "the release of all tenants" if choice.release is None else choice.release.id


class _Told:
    """Shows progress: on a terminal at once, elsewhere a line now and then."""

    def __init__(self, show: Callable[[str], None], *, always: bool) -> None:
        self._show = show
        self._always = always
        self._next = _TOLD_EVERY

    def __call__(self, activated: Activated) -> None:
        text = f"{activated.examined:,} patients under {activated.knowledge.release}"
        self._tell(activated.examined, f"{text}, the advice of {activated.published:,} changed")

    def patients(self, number: int) -> None:
        """So many were looked at."""
        self._tell(number, f"{number:,} patients looked at")

    def _tell(self, number: int, text: str) -> None:
        if self._always or number >= self._next:
            self._next = number + _TOLD_EVERY
            self._show(text)


def _most(counted: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counted.items(), key=lambda item: (-item[1], item[0]))[:_SHOWN]


def _summary(activated: Activated, progress: Progress) -> dict[str, Any]:
    return {
        "activation": activated.id,
        "release": activated.knowledge.release,
        "tenant": activated.tenant,
        "follows": activated.follows,
        "patients": progress.examined,
        "evaluated": progress.recomputed,
        "changed": progress.published,
        "failed": progress.failed,
        "finished": activated.finished is not None,
    }


def _forecast(choice: Choice, found: Forecast) -> dict[str, Any]:
    return {
        "release": found.release,
        "tenant": choice.tenant,
        "patients": found.patients,
        "affected": found.affected,
        "genes": dict(sorted(found.genes.items())),
        "drugs": dict(sorted(found.drugs.items())),
        "changes": [
            {"change": text, "patients": number, "examples": found.examples.get(text, [])}
            for text, number in sorted(found.changes.items(), key=lambda item: (-item[1], item[0]))
        ],
    }
