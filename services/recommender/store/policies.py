"""What a tenant wants to be done where results contradict each other, as the store keeps it."""

from typing import Any

from services.recommender.discordance import Policy

EVERYONE = "*"
"""In place of a tenant: all that have no policy of their own."""

POLICY = f"""
coalesce((SELECT discordance FROM policies WHERE policies.tenant = patients.tenant),
         (SELECT discordance FROM policies WHERE policies.tenant = '{EVERYONE}'), 'newest') AS policy
"""  # noqa: S608 - a constant
"""A patient's policy, in a SELECT from patients."""
_USED = f"""
SELECT EXISTS (
    SELECT FROM patients WHERE tenant = $1
    OR ($1 = '{EVERYONE}' AND NOT EXISTS (SELECT FROM policies WHERE policies.tenant = patients.tenant))
)
"""  # noqa: S608 - a constant
_CHOSEN = f"""
SELECT coalesce((SELECT discordance FROM policies WHERE tenant = $1),
                (SELECT discordance FROM policies WHERE tenant = '{EVERYONE}'), 'newest')
"""  # noqa: S608 - a constant
_SET = """
INSERT INTO policies (tenant, discordance) VALUES ($1, $2)
ON CONFLICT (tenant) DO UPDATE SET discordance = excluded.discordance, changed = now()
"""


class InUse(Exception):
    """There are patients whose advice was published under the policy of now."""


async def set_policy(connection: Any, tenant: str, policy: Policy) -> None:
    """Choose for a tenant, or for ``EVERYONE`` without a choice of its own. Raises InUse once there are patients.

    What was published must stay readable as it was, so that the choice comes before the first result; the same again
    is fine later.
    """
    async with connection.transaction():
        await connection.execute("LOCK TABLE patients IN SHARE MODE")
        another = await connection.fetchval(_CHOSEN, tenant) != policy.value
        if another and await connection.fetchval(_USED, tenant):
            raise InUse
        await connection.execute(_SET, tenant, policy.value)
