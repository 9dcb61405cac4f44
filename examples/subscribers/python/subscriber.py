"""A hospital's subscriber in Python: each recommendation event takes effect once in the hospital's own database.

    python subscriber.py --brokers localhost:9092 --database advice.sqlite3

Needs `confluent-kafka`. What it relies on: docs/subscribing.md. End it in any way and start it again; it goes on where
its database says. The database here is one SQLite file; any other with transactions does as well.
"""

import argparse
import json
import shlex
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Message, TopicPartition

TABLES = """
CREATE TABLE IF NOT EXISTS positions (part INTEGER PRIMARY KEY, next INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS patients (patient TEXT PRIMARY KEY, sequence INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS advice (patient TEXT, rule TEXT, drug TEXT NOT NULL, actions TEXT NOT NULL,
                                   PRIMARY KEY (patient, rule));
CREATE TABLE IF NOT EXISTS notices (number INTEGER PRIMARY KEY, patient TEXT NOT NULL, sequence INTEGER NOT NULL,
                                    change TEXT NOT NULL, rule TEXT NOT NULL, drug TEXT NOT NULL);
"""
"""``positions`` and ``patients``: how far the topic is read and the last event of each patient. ``advice`` and
``notices`` stand for what the hospital does with it: the current list, and what somebody is told about, once."""

Event = dict[str, Any]


class Subscriber:
    def __init__(self, database: sqlite3.Connection, missed_command: str | None) -> None:
        self.database = database
        self.missed_command = missed_command
        database.executescript(TABLES)

    def start_at(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Where reading begins is what the hospital's database says, not what the broker remembers of the group."""
        for place in partitions:
            row = self.database.execute("SELECT next FROM positions WHERE part = ?", [place.partition]).fetchone()
            place.offset = row[0] if row else OFFSET_BEGINNING
        consumer.assign(partitions)

    def take(self, messages: Sequence[Message]) -> None:
        """The effects of the messages and the position after them, in one transaction."""
        with self.database:
            for message in messages:
                if message.error():
                    raise KafkaException(message.error())
                patient, value = message.key().decode(), message.value()
                if value is None:
                    self.erase(patient)
                else:
                    self.take_event(patient, json.loads(value))
                self.database.execute(
                    "INSERT OR REPLACE INTO positions VALUES (?, ?)", [message.partition(), message.offset() + 1]
                )

    def take_event(self, patient: str, event: Event) -> None:
        row = self.database.execute("SELECT sequence FROM patients WHERE patient = ?", [patient]).fetchone()
        last = row[0] if row else 0
        if event["sequence"] <= last:
            return  # delivered before
        if event["sequence"] == last + 1:
            self.apply(patient, event, notices(event["changes"]))
            return
        print(f"{patient}: events {last + 1} to {event['sequence'] - 1} did not come", file=sys.stderr, flush=True)
        missed = self.missed(event, last)
        for one in missed:
            self.apply(patient, one, notices(one["changes"]))
        if not missed:
            self.apply(patient, event, self.differences(patient, event))

    def missed(self, event: Event, last: int) -> list[Event]:
        """All events after ``last`` by the results store; none where it cannot be asked or does not have them all."""
        if self.missed_command is None:
            return []
        command = [*shlex.split(self.missed_command), "--json", "--since", str(last)]
        command += ["--tenant", event["tenant"], "--patient", event["patient"]]
        done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603
        found = [json.loads(line) for line in done.stdout.splitlines()] if done.returncode == 0 else []
        sequences = [one["sequence"] for one in found]
        whole = sequences == list(range(last + 1, last + 1 + len(found))) and event["sequence"] in sequences
        return found if whole else []

    def differences(self, patient: str, event: Event) -> list[tuple[str, str, str]]:
        """What the event's full list says otherwise than ours: all that matters of what was missed."""
        rows = self.database.execute("SELECT rule, drug, actions FROM advice WHERE patient = ?", [patient])
        before = {rule: (drug, actions) for rule, drug, actions in rows}
        after = {one["rule"]: (one["drug"], actions_of(one)) for one in event["recommendations"]}
        found = [("withdrawn", rule, before[rule][0]) for rule in before.keys() - after.keys()]
        found += [("issued", rule, after[rule][0]) for rule in after.keys() - before.keys()]
        both = before.keys() & after.keys()
        return sorted(found + [("changed", rule, after[rule][0]) for rule in both if before[rule] != after[rule]])

    def apply(self, patient: str, event: Event, told: list[tuple[str, str, str]]) -> None:
        """The effect of one event: the patient's list becomes the event's, and somebody is told what changed."""
        self.database.execute("INSERT OR REPLACE INTO patients VALUES (?, ?)", [patient, event["sequence"]])
        self.database.execute("DELETE FROM advice WHERE patient = ?", [patient])
        self.database.executemany(
            "INSERT INTO advice VALUES (?, ?, ?, ?)",
            [(patient, one["rule"], one["drug"], actions_of(one)) for one in event["recommendations"]],
        )
        self.database.executemany(
            "INSERT INTO notices (patient, sequence, change, rule, drug) VALUES (?, ?, ?, ?, ?)",
            [(patient, event["sequence"], *notice) for notice in told],
        )

    def erase(self, patient: str) -> None:
        """A message without a value: the patient was erased, so nothing about them is kept here either."""
        for table in ("patients", "advice", "notices"):
            self.database.execute(f"DELETE FROM {table} WHERE patient = ?", [patient])  # noqa: S608


def notices(changes: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    return [(one["change"], one["rule"], (one["after"] or one["before"])["drug"]) for one in changes]


def actions_of(recommendation: dict[str, Any]) -> str:
    return ", ".join(recommendation["actions"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--brokers", required=True)
    parser.add_argument("--database", required=True, help="SQLite file; made when it is not there")
    parser.add_argument("--topic", default="pgx.recommendation.v1")
    parser.add_argument("--group", default="hospital")
    parser.add_argument("--instance", default="1", help="this copy's name, kept over restarts; copies share the work")
    parser.add_argument("--missed", metavar="COMMAND", help="'pgx watch', where the results store may be asked")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="client setting (TLS, SASL …)")
    arguments = parser.parse_args()
    own = dict(setting.split("=", 1) for setting in arguments.set)
    consumer = Consumer(
        {
            "bootstrap.servers": arguments.brokers,
            "group.id": arguments.group,
            # A copy that comes back under its name gets its partitions at once, also after a crash.
            "group.instance.id": arguments.instance,
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            **own,
        }
    )
    subscriber = Subscriber(sqlite3.connect(arguments.database, timeout=60), arguments.missed)
    consumer.subscribe([arguments.topic], on_assign=subscriber.start_at)
    try:
        while True:
            if messages := consumer.consume(100, timeout=1.0):
                subscriber.take(messages)
    except KeyboardInterrupt:
        pass
    finally:
        consumer.close()


if __name__ == "__main__":
    main()
