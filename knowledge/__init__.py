"""Versioned, immutable releases of pharmacogenomic facts: their model, their compiler and their loader."""
