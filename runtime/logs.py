"""Logs: structured, on standard error, with event and trace ids and without personal data.

The system's own modules and the libraries' loggers go through one pipeline. Payloads are never logged, and an exception
of unknown origin appears with its type and the places in the code, without its message, which may quote data.
"""

import logging
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any

import structlog

from runtime.settings import Settings

Logger = structlog.stdlib.BoundLogger
_QUIET = {"aiokafka": logging.WARNING, "faust": logging.WARNING, "mode": logging.WARNING, "asyncio": logging.WARNING}
_QUOTING = ("faust", "mode", "asyncio")
"""Libraries whose error lines quote exceptions of any origin, and so perhaps data."""
_MESSAGE_IS_SAFE = ("aiokafka.", "runtime.", "aiohttp.")


def logger(name: str) -> Logger:
    """The logger of a module. Give facts as keywords; never values of events."""
    return structlog.stdlib.get_logger(name)


def configure(settings: Settings, service: str) -> None:
    """Set up logging of this process."""
    json = settings.log_format == "json" or (settings.log_format == "auto" and not sys.stderr.isatty())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _render_exception,
    ]
    renderer: Any = structlog.processors.JSONRenderer() if json else structlog.dev.ConsoleRenderer(colors=_colours())
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, _withhold_library_arguments],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level.upper())
    for library, level in _QUIET.items():
        logging.getLogger(library).setLevel(level)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(service=service)


def where(error: BaseException) -> str:
    """An exception as its type and the place in the code that raised it; nothing that could quote data."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" in {_module(frames[-1].filename)}, line {frames[-1].lineno}, {frames[-1].name}" if frames else ""
    return f"{type(error).__name__}{place}"


def _render_exception(_: Any, __: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    error = entry.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()[1]
    if isinstance(error, tuple):
        error = error[1]
    if isinstance(error, BaseException):
        entry["error"] = type(error).__name__
        if type(error).__module__.startswith(_MESSAGE_IS_SAFE) or isinstance(error, OSError):
            entry["reason"] = str(error)
        frames = traceback.extract_tb(error.__traceback__)[-8:]
        entry["at"] = [f"{_module(frame.filename)}:{frame.lineno} {frame.name}" for frame in frames]
    return entry


def _withhold_library_arguments(_: Any, __: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Keep what a library says, not what it quotes."""
    record = entry.get("_record")
    if record is not None and record.levelno >= logging.ERROR and record.name.startswith(_QUOTING):
        entry["event"] = str(record.msg)
    return entry


def _module(filename: str) -> str:
    parts = filename.replace("\\", "/").split("/")
    return "/".join(parts[-3:])


def _colours() -> bool:
    return sys.stderr.isatty()
