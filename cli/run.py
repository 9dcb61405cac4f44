"""``pgx run``: one service in the foreground, or all three under one supervisor."""

import os
import sys
from collections.abc import Callable
from enum import StrEnum
from importlib import import_module
from typing import Annotated

import typer

from cli.environment import APPEARANCE, reads
from cli.exits import Failure
from runtime.exits import Exit
from runtime.settings import Settings, variable

app = typer.Typer(**APPEARANCE)


class Service(StrEnum):
    """What can be run."""

    GENOTYPER = "genotyper"
    PHENOTYPER = "phenotyper"
    RECOMMENDER = "recommender"
    ALL = "all"


SERVICES = tuple(service for service in Service if service is not Service.ALL)


@app.command(cls=reads("kafka", "database", "knowledge", "service"))
def run(
    service: Annotated[
        Service, typer.Argument(help="Which service; all: the three in one process tree, for a laptop.")
    ],
) -> None:
    """Run a service in the foreground until SIGTERM or SIGINT; any number of copies of each may run.

    It waits for the broker and the database, finishes the batch at hand when it is told to stop, and exits 0 then.
    With [bold]all[/], PGX_HTTP_PORT is the genotyper's; the phenotyper and the recommender take the next two ports.
    """
    settings = Settings.load()
    if service is Service.ALL:
        _run_all(settings)
    else:
        raise typer.Exit(main_of(service)(settings))


def main_of(service: str) -> Callable[[Settings], int]:
    """What runs one service as this process, and returns its exit status."""
    if service == Service.RECOMMENDER:
        return _recommender
    main: Callable[[Settings], int] = import_module(f"services.{service}.app").main
    return main


def _recommender(settings: Settings) -> int:
    """The recommender with what reads results called under another release than the one that governs."""
    from cli.interpretation import Interpreter
    from knowledge.loader import Releases
    from services.recommender.app import main

    return main(settings, Interpreter(Releases(None, *settings.knowledge_folders).load))


def command(service: str) -> list[str]:
    """How another process runs one service."""
    return [sys.executable, "-m", "cli.main", "run", service]


def _run_all(settings: Settings) -> None:
    from cli.supervisor import supervise

    port = variable("http_port")
    environments = {
        service.value: dict(os.environ) | ({port: str(settings.http_port + place)} if settings.http_port else {})
        for place, service in enumerate(SERVICES)
    }
    name, status = supervise({service.value: command(service) for service in SERVICES}, environments)
    if name is not None:
        raise Failure(
            Exit(status) if status in set(Exit) and status else Exit.REFUSED,
            f"the {name} ended with status {status}; the other services were ended too",
            "Its last log lines say why. Run `pgx setup` first if the topics or the store are not there.",
        )
