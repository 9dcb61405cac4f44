"""The store's schema as plain SQL files, applied once each, in order.

A file that was applied never changes: its SHA-256 is kept and compared. Change the schema by adding a file.
"""

from services.recommender.migrations.runner import ChangedMigration, apply, check, migrate, wait_until_migrated

__all__ = ["ChangedMigration", "apply", "check", "migrate", "wait_until_migrated"]
