"""``pgx``: every command, and how each of them ends."""

import logging
import os
import sys
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

from cli.environment import APPEARANCE
from cli.exits import BROKEN_PIPE, Failure, ReaderGone
from cli.terminal import complain
from runtime.exits import NotSetUp, Unreachable, status_of
from runtime.settings import SettingsError

COMMANDS = {
    "demo": "cli.demo",
    "setup": "cli.setup",
    "run": "cli.run",
    "submit": "cli.submit",
    "status": "cli.status",
    "watch": "cli.watch",
    "report": "cli.report",
    "explain": "cli.explain",
    "cohort": "cli.cohort",
    "patient": "cli.patient",
    "dlq": "cli.dlq",
    "store": "cli.store",
    "evaluate": "cli.evaluate",
    "knowledge": "cli.knowledge",
}
"""The module of each command, in the order of ``pgx --help``."""


class Commands(TyperGroup):
    """Imports a command when it is asked for: what one needs, another need not wait for."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS:
            return None
        command = typer.main.get_command(import_module(COMMANDS[cmd_name]).app)
        command.name = cmd_name
        return command


app = typer.Typer(name="pgx", cls=Commands, no_args_is_help=True, **APPEARANCE)


@app.callback(epilog="Exit status: 0 done, 1 some input was refused, 2 usage, 3 not found, 4 a service not reached.")
def pgx() -> None:
    """Pharmacogenomics in routine care: laboratory results become drug recommendations, event by event."""


def main() -> None:
    """Entry point. Every expected way to fail ends with a message and its documented status, without a traceback."""
    # What libraries would print by themselves, commands say in their own words; services set up their own logs.
    logging.getLogger().addHandler(logging.NullHandler())
    try:
        app()
    except SettingsError as error:
        complain("a setting cannot be used", str(error))
        sys.exit(2)
    except Failure as error:
        complain(error.message, error.advice)
        sys.exit(error.status)
    except (Unreachable, NotSetUp) as error:
        complain(str(error))
        sys.exit(status_of(error))
    except ReaderGone:
        # Whatever is still buffered has no reader: let the interpreter's last flush go nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(BROKEN_PIPE)


if __name__ == "__main__":
    main()
