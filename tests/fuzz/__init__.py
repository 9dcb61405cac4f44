"""Coverage-guided fuzzing of what comes from outside; run on demand, see ``docs/genotyper.md``."""
