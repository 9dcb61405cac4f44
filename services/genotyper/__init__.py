"""Genotypes to named-allele calls (diplotypes): pure matching code and a thin app around it."""
