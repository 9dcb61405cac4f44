"""Which dead letters a command is about: options that can be combined."""

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.exits import Failure
from runtime.exits import Exit

if TYPE_CHECKING:
    from runtime.dead_letters import DeadLetter

_OPTIONS: dict[str, Any] = {
    "stage": Annotated[str | None, typer.Option(help="Only those of this service.")],
    "code": Annotated[str | None, typer.Option(help="Only those with this error code.")],
    "topic": Annotated[str | None, typer.Option(help="Only those that came from this topic.")],
    "tenant": Annotated[str | None, typer.Option(help="Only those of this tenant, by the message's key.")],
    "since": Annotated[str | None, typer.Option(metavar="TIME", help="Only those published then or later (RFC 3339).")],
    "until": Annotated[str | None, typer.Option(metavar="TIME", help="Only those published before then.")],
}


@dataclass(frozen=True, slots=True)
class LetterFilter:
    """What all chosen letters have in common; None: anything. Times are in milliseconds since 1970."""

    stage: str | None = None
    code: str | None = None
    topic: str | None = None
    tenant: str | None = None
    since: float | None = None
    until: float | None = None

    @classmethod
    def of(
        cls,
        stage: str | None,
        code: str | None,
        topic: str | None,
        tenant: str | None,
        since: str | None,
        until: str | None,
    ) -> "LetterFilter":
        """The options as they were typed. Raises ``Failure`` for a time that is none."""
        return cls(stage, code, topic, tenant, _milliseconds("--since", since), _milliseconds("--until", until))

    @property
    def chooses(self) -> bool:
        """Whether any option was given."""
        return any(getattr(self, field.name) is not None for field in fields(self))

    def matches(self, letter: "DeadLetter", prefix: str = "") -> bool:
        """``prefix``: the deployment's, which the topic may be given with or without."""
        original = letter.message
        tenant, _, _ = (original.key or b"").decode("utf-8", "replace").partition("/")
        return (
            self.stage in (None, letter.stage)
            and self.code in (None, letter.code)
            and self.topic in (None, original.topic, original.topic.removeprefix(prefix))
            and self.tenant in (None, tenant)
            and (self.since is None or original.timestamp_ms >= self.since)
            # A broker that did not tell the time left -1.
            and (self.until is None or 0 <= original.timestamp_ms < self.until)
        )


def choosing(command: Callable[..., None]) -> Callable[..., None]:
    """A command that has the options of a filter, and is given the filter as its parameter ``chosen``."""
    own = [one for one in inspect.signature(command).parameters.values() if one.name != "chosen"]
    options = [
        inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=None, annotation=option)
        for name, option in _OPTIONS.items()
    ]

    @functools.wraps(command)
    def run(**given: Any) -> None:
        chosen = LetterFilter.of(**{name: given.pop(name) for name in _OPTIONS})
        command(chosen=chosen, **given)

    both = [*own, *options]
    # What typer reads: the names, and their annotations once more.
    run.__signature__ = inspect.Signature(both)  # type: ignore[attr-defined]
    run.__annotations__ = {one.name: one.annotation for one in both}
    return run


def _milliseconds(option: str, text: str | None) -> float | None:
    if text is None:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        example = "2026-11-23T10:00:00Z, or a day as 2026-11-23"
        raise Failure(
            Exit.USAGE, f"{option} {text} is no time", f"Give one as {example}; without a zone: UTC."
        ) from None
    return 1000 * (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).timestamp()
