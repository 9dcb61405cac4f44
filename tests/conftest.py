"""Fixtures live beside what they start: see ``tests/support``."""

pytest_plugins = ["tests.support.kafka", "tests.support.postgres"]
