"""Optimisers over a stack of cells, each cell with coefficients of its own.

A module here has a dataclass `Config` (its first field `name`) and a class `Stacked(configs,
parameters)` with `step(gradients)`, `state_dict()`, `load_state_dict(state)` and
`cell_state(cell)`.
"""
