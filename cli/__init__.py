"""``pgx``, the one command that people type."""
