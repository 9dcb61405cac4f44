"""Faults on purpose, against the real services, a real Apache Kafka and PostgreSQL; and what must hold after them."""
