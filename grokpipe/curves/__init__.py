"""Pure functions on curves, for training and analysis: events, gap laws, phases. NumPy only."""
