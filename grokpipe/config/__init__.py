"""Configurations: schema, Hydra composition, checks, keys and component lookup. Torch-free."""
