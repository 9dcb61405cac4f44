"""A migrated store in a database of the test's own."""

from collections.abc import AsyncIterator

import pytest_asyncio

from runtime.settings import Settings
from services.recommender.handler import Recommender
from services.recommender.migrations import migrate
from services.recommender.store import Store
from tests.services.recommender.builders import release


@pytest_asyncio.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    settings = Settings.load(database_url=database_url)
    await migrate(settings)
    async with await Store.open(settings) as opened:
        yield opened


@pytest_asyncio.fixture
async def recommender(store: Store) -> Recommender:
    return Recommender(store, release)
