"""Interventions: changes to representation, loss or weights during training.

A module here has a dataclass `Config` (its first field `name`).
"""
