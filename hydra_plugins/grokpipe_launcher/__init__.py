"""Hydra launchers local, serial and slurm."""
