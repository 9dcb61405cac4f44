"""What a tenant wants to be done where results contradict each other, as the store keeps it."""

EVERYONE = "*"
"""In place of a tenant: all that have no policy of their own."""

POLICY = f"""
coalesce((SELECT discordance FROM policies WHERE policies.tenant = patients.tenant),
         (SELECT discordance FROM policies WHERE policies.tenant = '{EVERYONE}'), 'newest') AS policy
"""  # noqa: S608 - a constant
"""A patient's policy, in a SELECT from patients."""
