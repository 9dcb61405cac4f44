"""How fast the results store takes in events, and how large it grows."""
