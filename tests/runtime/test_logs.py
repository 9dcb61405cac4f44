"""Logs are for operators: one JSON object a line, errors with their place, and nothing that quotes data."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from runtime import logs
from runtime.exits import Unreachable
from runtime.settings import Settings


@pytest.fixture(autouse=True)
def undisturbed() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def lines(capture: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    written = capture.readouterr()
    assert written.out == "", "standard output is for data"
    return [json.loads(line) for line in written.err.splitlines()]


def test_a_line_names_the_service_and_its_facts(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(Settings.load(log_format="json"), "genotyper")
    logs.logger("a.module").info("something happened", partition=3)
    [line] = lines(capsys)
    assert (line["event"], line["service"], line["partition"]) == ("something happened", "genotyper", 3)
    assert {"level", "logger", "timestamp"} <= line.keys()


def test_an_exception_of_unknown_origin_is_shown_without_its_message(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(Settings.load(log_format="json"), "genotyper")
    try:
        raise ValueError("canary: CYP2C19 *2/*2 of p-1")
    except ValueError as error:
        logs.logger("a.module").error("it failed", exc_info=error)
        logging.getLogger("faust.agents").exception("agent crashed: %r", error)
        place = logs.where(error)
    assert "canary" not in place
    assert "test_logs.py" in place
    shown = lines(capsys)
    assert [line["error"] for line in shown] == ["ValueError", "ValueError"]
    assert all("canary" not in json.dumps(line) and line["at"] for line in shown)


def test_an_error_that_says_what_to_do_is_shown_whole(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(Settings.load(log_format="json"), "genotyper")
    logs.logger("a.module").error(
        "it ends", exc_info=Unreachable("Kafka", "here:9092", "3 attempts", "Start the broker")
    )
    [line] = lines(capsys)
    assert "here:9092" in str(line["reason"])
    assert "Start the broker" in str(line["reason"])


def test_the_level_decides_what_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(Settings.load(log_format="json", log_level="warning"), "genotyper")
    logs.logger("a.module").info("hidden")
    logs.logger("a.module").warning("shown")
    assert [line["event"] for line in lines(capsys)] == ["shown"]
