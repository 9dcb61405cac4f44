"""The three services end to end on a real Apache Kafka and PostgreSQL, beside the floor of the same bytes."""
