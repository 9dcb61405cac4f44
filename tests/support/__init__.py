"""Builders and fixtures that tests of several parts share."""
