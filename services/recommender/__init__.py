"""Phenotypes and clinical context to drug recommendations; owns the results store and the outbox."""
