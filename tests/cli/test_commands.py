"""How every command presents itself and how it ends."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from runtime.settings import Settings, variable
from tests.cli.commands import PGX, pgx, surroundings

NOWHERE = {
    "kafka_bootstrap_servers": "127.0.0.1:1",
    "database_url": "postgresql://pgx@127.0.0.1:1/pgx",
    "patience": "1",
}

READS_KAFKA = [
    ["watch"],
    ["dlq", "list"],
    ["dlq", "show", "x"],
    ["dlq", "retry", "x"],
    ["dlq", "discard", "x"],
    ["setup"],
]
READS_DATABASE = [["report", "p-1"], ["store", "dump"], ["status", "x"], ["watch", "--patient", "p", "--since", "1"]]
SERVICES = [["run", "genotyper"], ["run", "phenotyper"], ["run", "recommender"]]
COMMANDS = [*READS_KAFKA, *READS_DATABASE, *SERVICES, ["submit", "x"], ["evaluate"], ["demo"]]


def test_help_names_every_command() -> None:
    done = pgx("--help")
    assert done.returncode == 0
    for name in (
        "setup",
        "run",
        "submit",
        "status",
        "watch",
        "report",
        "dlq",
        "store",
        "evaluate",
        "knowledge",
        "demo",
    ):
        assert name in done.stdout.decode()


@pytest.mark.parametrize("command", COMMANDS, ids=lambda words: " ".join(words))
def test_help_shows_the_settings_that_the_command_reads(command: list[str]) -> None:
    done = pgx(
        *[word for word in command if word.isalpha() and word != "x"][: 2 if command[0] in ("dlq", "store") else 1],
        "--help",
    )
    assert done.returncode == 0
    said = done.stdout.decode()
    expected = {variable("kafka_bootstrap_servers")} if command in READS_KAFKA else set()
    expected |= {variable("database_url")} if command in READS_DATABASE else set()
    expected |= (
        {variable("stream_engine"), variable("instance"), variable("http_port")} if command in SERVICES else set()
    )
    assert {name for name in expected if name not in said} == set()


def test_every_setting_is_shown_by_some_command() -> None:
    said = "".join(pgx(name, "--help").stdout.decode() for name in ("setup", "run"))
    assert [name for name in map(variable, Settings.model_fields) if name not in said] == []


@pytest.mark.parametrize("command", [*READS_KAFKA, *READS_DATABASE, *SERVICES], ids=lambda words: " ".join(words))
def test_what_cannot_be_reached_is_named_with_what_to_do(command: list[str]) -> None:
    done = pgx(*command, settings=NOWHERE)
    assert done.returncode == 4
    assert done.stdout == b""
    said = done.stderr.decode()
    assert "127.0.0.1:1" in said
    assert "PGX_" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("command", [[], ["nonsense"], ["run"], ["run", "nonsense"], ["submit"], ["report"], ["dlq"]])
def test_a_command_that_is_not_one_is_a_usage_error(command: list[str]) -> None:
    done = pgx(*command)
    assert done.returncode == 2
    assert done.stdout == b"" or command in ([], ["dlq"])


def test_a_setting_that_cannot_be_used_is_named() -> None:
    done = pgx("dlq", "list", settings={"kafka_bootstrap_servers": "nonsense"})
    assert done.returncode == 2
    assert b"PGX_KAFKA_BOOTSTRAP_SERVERS" in done.stderr


def test_a_setting_that_is_none_is_pointed_out() -> None:
    done = pgx("dlq", "list", settings={**NOWHERE, "kafka_bootstrap_server": "x:1"})
    assert b"PGX_KAFKA_BOOTSTRAP_SERVER is no setting" in done.stderr


def test_settings_come_from_a_file_as_well(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PGX_KAFKA_BOOTSTRAP_SERVERS=127.0.0.1:2\nPGX_PATIENCE=1\n")
    done = subprocess.run([*PGX, "dlq", "list"], cwd=tmp_path, env=surroundings(), capture_output=True)
    assert done.returncode == 4
    assert b"127.0.0.1:2" in done.stderr


def test_files_that_cannot_be_read_are_named_before_anything_is_sent() -> None:
    done = pgx("submit", "no-such-file.json", settings=NOWHERE)
    assert done.returncode == 2
    assert b"no-such-file.json" in done.stderr


def test_ctrl_c_is_quiet() -> None:
    running = subprocess.Popen(
        [*PGX, "evaluate"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=surroundings()
    )
    assert running.stdin
    assert running.stdout
    running.stdin.write(b"{}\n")
    running.stdin.flush()
    running.stdout.readline()
    os.kill(running.pid, signal.SIGINT)
    _, said = running.communicate(timeout=60)
    assert running.returncode == 130
    assert said == b""


def test_all_services_end_when_one_cannot_go_on() -> None:
    began = time.monotonic()
    done = pgx("run", "all", settings=NOWHERE)
    assert done.returncode == 4
    assert b"127.0.0.1:1" in done.stderr
    assert time.monotonic() - began < 100
