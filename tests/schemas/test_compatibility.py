"""Events stay readable across versions, both ways: stored events by these models, these events by the schemas of old.

Internal events meet both ways too: topics hold events of the version before, and during an update one stage is older
than the next.
"""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from schemas import cloudevents, generate
from schemas.serialise import to_json
from schemas.topics import CLINICAL_CONTEXT, FROM_OUTSIDE, LAB_RESULT, TOPICS, Topic
from tests.schemas.compatibility import breaks
from tests.schemas.fixtures import stored

WITH_VALUE = [topic for topic in TOPICS if topic.value is not None]
OURS = [topic for topic in WITH_VALUE if topic not in FROM_OUTSIDE]
STORED = [(topic, file.stem) for topic in WITH_VALUE for file in stored.files(topic)]


def test_there_are_stored_events_of_every_kind() -> None:
    assert {topic.name for topic, _ in STORED} == {topic.name for topic in WITH_VALUE}


@pytest.mark.parametrize(("topic", "name"), STORED)
def test_stored_events_are_read_without_loss(topic: Topic, name: str) -> None:
    if topic is LAB_RESULT:
        read: Any = cloudevents.decode_lab_result(*stored.message(topic, name)).data
    elif topic is CLINICAL_CONTEXT:
        read = cloudevents.decode_clinical_context(*stored.message(topic, name)).data
    else:
        read = cloudevents.decode(topic, *stored.message(topic, name)).data
    assert _contains(json.loads(to_json(read)), stored.content(topic, name))


@pytest.mark.parametrize(("topic", "name"), STORED)
def test_what_is_published_now_satisfies_the_schema_of_old(topic: Topic, name: str) -> None:
    value = json.loads(to_json(stored.model(topic, name)))
    Draft202012Validator(stored.schema(topic)).validate(value)


@pytest.mark.parametrize("topic", WITH_VALUE, ids=lambda topic: topic.name)
def test_what_could_be_sent_can_still_be_sent(topic: Topic) -> None:
    """Nothing that the old schema allows is refused now: stored events, and laboratories that have not changed."""
    assert breaks(reader=generate.json_schema(topic, "validation"), writer=stored.schema(topic)) == []


@pytest.mark.parametrize("topic", OURS, ids=lambda topic: topic.name)
def test_whoever_reads_by_the_old_schema_finds_what_it_promises(topic: Topic) -> None:
    """Every field that the old schema names is still published, with no other types or values."""
    assert breaks(reader=stored.schema(topic), writer=generate.json_schema(topic)) == []


def _contains(now: Any, before: Any) -> bool:
    """Whether everything that was there is there with the same value; fields may have been added."""
    if isinstance(before, dict):
        return isinstance(now, dict) and all(
            name in now and _contains(now[name], value) for name, value in before.items()
        )
    if isinstance(before, list):
        return isinstance(now, list) and len(now) == len(before) and all(map(_contains, now, before))
    return bool(now == before)
