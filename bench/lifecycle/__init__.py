"""How a store full of patients behaves: activating a release, live results beside it, reports and cohorts."""
