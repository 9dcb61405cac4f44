"""Fixtures live beside what they start: see ``tests/support``."""

import signal

from hypothesis import settings

pytest_plugins = ["tests.support.kafka", "tests.support.postgres"]

# How long an example takes says more about the machine than about the code.
settings.register_profile("pgx", deadline=None)
settings.load_profile("pgx")

# A shell lets what it starts in the background ignore Ctrl-C, which the processes that the tests start would inherit.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
