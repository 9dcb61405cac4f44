"""Diplotypes to phenotypes, activity scores and guideline lookup keys: pure lookup code and a thin app around it."""
