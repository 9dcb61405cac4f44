"""The compose file tried for real."""
