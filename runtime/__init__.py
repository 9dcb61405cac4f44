"""The shell around the domain: settings, streams, dead letters, health, metrics and logs. Knows no domain words."""
