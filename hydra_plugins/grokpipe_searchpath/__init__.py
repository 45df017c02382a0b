"""Hydra's search path with the configurations of installed packages."""
