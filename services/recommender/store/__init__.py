"""The results store: the only place where anything about patients is kept."""

from services.recommender.store.store import Store

__all__ = ["Store"]
