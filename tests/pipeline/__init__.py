"""The whole system end to end: three service processes, a broker, a database, and clients that know only the contract."""
