"""Broker and database out of Python wheels, for a laptop without Docker or Java, and the guard that ends them."""
