"""The results store as commands open it: what is wrong with it is said in their words."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from cli.exits import Failure
from runtime.exits import Exit, NotSetUp
from runtime.settings import Settings
from schemas.errors import Rejected
from services.recommender.report import tenants_of
from services.recommender.store import Store
from services.recommender.store.connection import address, transient, unreachable


@asynccontextmanager
async def opened(settings: Settings, name: str = "command") -> AsyncIterator[Store]:
    """An open store; the database shows its connections under the name.

    Raises:
        Unreachable: the database did not answer, or went away.
        NotSetUp: it has no tables of ours.
        Failure: what it holds was decided under a knowledge release that is not installed here.
    """
    async with await Store.open(settings, name) as store:
        try:
            yield store
        except Rejected as error:
            advice = "Run the version of the software that has it, or put the release into the tree."
            raise Failure(Exit.REFUSED, error.message, advice) from None
        except asyncpg.UndefinedTableError:
            raise NotSetUp(f"the database at {address(settings)} has no results store. Run `pgx setup` first") from None
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            if transient(error):
                raise unreachable(settings, f"the connection was lost: {error}") from None
            raise


async def the_tenant(store: Store, patient: str, tenant: str | None) -> str:
    """The tenant that was named, or the only one that knows the patient. Raises ``Failure`` where there is none."""
    if tenant is not None:
        return tenant
    known = await tenants_of(store, patient)
    if not known:
        raise nothing_known(patient, None)
    if len(known) > 1:
        raise Failure(Exit.USAGE, f"several tenants have a patient {patient}: {', '.join(known)}", "Add --tenant.")
    return known[0]


def nothing_known(patient: str, tenant: str | None, at: str | None = None) -> Failure:
    """The store has never heard of the patient, or had not ``at`` a moment."""
    where = "" if tenant is None else f" of {tenant}"
    if at is not None:
        return Failure(Exit.NOT_FOUND, f"nothing was known of patient {patient}{where} at {at}")
    return Failure(
        Exit.NOT_FOUND,
        f"nothing is known of patient {patient}{where}",
        "A result that was just submitted takes a moment; `pgx status ID` says where it is.",
    )
