"""Launching of sweeps: planning packs, supervising their processes, reporting outcomes."""
