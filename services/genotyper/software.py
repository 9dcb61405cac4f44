"""Name and version of this software, as every genotype event states them."""

from importlib.metadata import version

SOFTWARE = f"pgx-pipeline {version('pgx-pipeline')}"
