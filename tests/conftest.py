"""Fixtures live beside what they start: see ``tests/support``."""

from hypothesis import settings

pytest_plugins = ["tests.support.kafka", "tests.support.postgres"]

# How long an example takes says more about the machine than about the code.
settings.register_profile("pgx", deadline=None)
settings.load_profile("pgx")
