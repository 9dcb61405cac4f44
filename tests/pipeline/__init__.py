"""The whole system end to end: three service processes, broker, database, and clients that know only the contract."""
