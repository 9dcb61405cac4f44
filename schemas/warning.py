"""What was odd about an input without making it unusable."""

from schemas.base import Model


class Warning(Model):  # noqa: A001
    """A remark on a position, a gene or the whole result; never a reason to drop anything silently."""

    code: str
    message: str
    position: str | None = None
    """``chr10:94781859`` where the remark is about one position."""
