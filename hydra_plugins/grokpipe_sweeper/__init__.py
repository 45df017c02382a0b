"""Hydra sweeper grid."""
