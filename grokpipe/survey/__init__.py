"""Surveys of sweeps: what is done, what remains, and how long that takes here."""
