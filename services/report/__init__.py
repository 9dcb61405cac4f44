"""A patient's report for people to read: pure rendering of the facts, as plain text and as one self-contained page."""
