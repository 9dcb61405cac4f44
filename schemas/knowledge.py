"""Activation of a knowledge release: what operators publish on ``pgx.knowledge.v1``."""

from schemas.base import Model

EVERYONE = "*"


class ReleaseActivated(Model):
    """New results of this tenant (``*``: of every tenant without an own choice) are called under the release."""

    tenant: str = EVERYONE
    release: str
    sha256: str
