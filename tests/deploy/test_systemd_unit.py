"""The systemd unit starts the service that its instance names, under a name of its own."""

import re
import subprocess
from pathlib import Path

import pytest

from runtime.settings import Settings, variable

UNIT = Path(__file__).resolve().parents[2] / "deploy/systemd/pgx@.service"
LINES = [line.partition("=") for line in UNIT.read_text().splitlines() if "=" in line and not line.startswith("#")]


def value(name: str, instance: str) -> str:
    """A setting of the unit as systemd reads it for an instance on a host named ``lab``."""
    [text] = [text for key, _, text in LINES if key == name]
    replaced = {"%i": instance, "%H": "lab", "%%": "%"}
    return re.sub("%[iH%]", lambda found: replaced[found[0]], text).replace("$$", "$")


@pytest.mark.parametrize(
    ("instance", "service"),
    [("genotyper-1", "genotyper"), ("recommender-a-2", "recommender"), ("phenotyper", "phenotyper")],
)
def test_an_instance_runs_its_service(instance: str, service: str) -> None:
    command = value("ExecStart", instance)
    said = command.replace("exec /opt/pgx/.venv/bin/pgx", "echo pgx")
    assert said != command
    assert subprocess.run(said, shell=True, capture_output=True, text=True).stdout == f"pgx run {service}\n"  # noqa: S602


def test_each_instance_is_a_static_member_of_its_own() -> None:
    name, _, member = value("Environment", "genotyper-2").partition("=")
    assert name == variable("instance")
    assert Settings.load(instance=member).instance == "lab-genotyper-2"


def test_it_is_started_again_whatever_ended_it_and_has_time_to_stop() -> None:
    assert value("Restart", "x") == "always"
    assert int(value("TimeoutStopSec", "x")) > 30
