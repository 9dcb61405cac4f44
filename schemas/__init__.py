"""The contracts between laboratories, the three services and hospitals: event models, topics and envelopes."""
