"""What a command needs from its surroundings: settings, and how ``--help`` shows them."""

import os
from collections.abc import Iterable
from typing import Any

from rich.markup import escape
from typer.core import TyperCommand

from cli.terminal import say
from runtime.settings import Settings, unknown_variables, variable

APPEARANCE: dict[str, Any] = {
    "add_completion": False,
    "pretty_exceptions_enable": False,
    "rich_markup_mode": "rich",
    "context_settings": {"help_option_names": ["-h", "--help"]},
}
"""How every command looks."""

PATIENCE_SECONDS = 5.0
"""A person waits for a command: it gives up sooner than a service does."""

_GROUPS = {
    "kafka": ("kafka_", "topic_prefix"),
    "database": ("database_",),
    "knowledge": ("knowledge_",),
    "topics": ("partitions", "replication"),
    "service": ("dead_letter_", "instance", "stream_engine", "http_", "batch_size", "patience", "log_"),
}


def settings(**values: Any) -> Settings:
    """The settings of a command that somebody waits for. Raises ``SettingsError``."""
    loaded = Settings.load(**values)
    for stranger, meant in unknown_variables(os.environ).items():
        say(f"warning: {stranger} is no setting" + (f"; {meant} was probably meant" if meant else ""))
    return loaded.model_copy(update={"patience": min(loaded.patience, PATIENCE_SECONDS)})


def _fields(groups: Iterable[str]) -> list[str]:
    starts = tuple(start for group in groups for start in _GROUPS[group])
    return [name for name in Settings.model_fields if name.startswith(starts)]


def settings_help(*groups: str) -> str:
    """The settings of these groups as they are shown below the options."""
    lines = ["[bold]Settings[/] (environment variables, or a file named .env in the working folder):", ""]
    for name in _fields(groups):
        field = Settings.model_fields[name]
        default = str(field.default).lower() if isinstance(field.default, bool) else str(field.default or "none")
        meaning = (field.description or "").replace("`", "")
        lines.append(f"[cyan]{variable(name)}[/] [dim]({escape(default)})[/] {escape(meaning)}")
    return "\n".join(lines)


def reads(*groups: str) -> type[TyperCommand]:
    """The class of a command whose ``--help`` ends with the settings of these groups."""

    class Command(TyperCommand):
        def format_help(self, ctx: Any, formatter: Any) -> None:
            self.epilog = settings_help(*groups)
            super().format_help(ctx, formatter)

    return Command
