"""``python -m tests.lifecycle``: random lives of many patients' results, taken in again and again in other orders, at
last with erasures in between.

Exit status 0 when every order ended in the same current state.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

from cli.embedded import postgres
from runtime.settings import Settings
from services.recommender.migrations import migrate
from services.recommender.store import Store
from tests.lifecycle.inputs import arrival, erasing, lives
from tests.lifecycle.orders import current_after


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.lifecycle", description=__doc__)
    parser.add_argument("--patients", type=int, default=1000)
    parser.add_argument("--orders", type=int, default=3, help="beside the one in which things were said")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="pgx-lifecycle-") as folder,
        postgres.start(Path(folder), durable=False) as server,
    ):
        return asyncio.run(_compare(server.dsn, arguments.patients, arguments.orders, arguments.seed))


async def _compare(database_url: str, patients: int, orders: int, seed: int) -> int:
    settings = Settings.load(database_url=database_url)
    await migrate(settings)
    said = lives(patients, seed)
    async with await Store.open(settings) as store:
        expected = await current_after(store, [[one] for one in said])
        print(f"{patients} patients, {len(said)} inputs, {len(expected)} lines")
        different = 0
        for order in range(1, orders + 1):
            began = time.monotonic()
            same = await current_after(store, arrival(said, seed + order)) == expected
            different += not same
            print(
                f"order {order}: {'the same' if same else 'DIFFERENT'} ({time.monotonic() - began:.0f} s)", flush=True
            )
        left, coming = erasing(said, seed)
        expected = await current_after(store, [[one] for one in left])
        same = await current_after(store, coming) == expected
        different += not same
        print(f"with erasures: {'the same' if same else 'DIFFERENT'} ({len(expected)} lines)", flush=True)
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
