"""Estimates that only the paper of Han et al. (2025) needs, and functions of one run's curves."""
