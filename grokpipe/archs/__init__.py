"""Architectures: plain modules for one network, which a pack stacks.

A module here has a dataclass `Config` (its first field `name`) and
`build(config, task: Task) -> nn.Module`, whose `forward` returns logits (batch, classes) and
features (batch, width), and whose last layer is the linear layer `head`. Its buffers, such as the
running statistics of batch norm, are stacked, trained and stored with the parameters; it is trained
in training mode and evaluated in evaluation mode.

For a task with several supervised positions both are (batch, positions, …), and the module says
`POSITIONS = True`: others are refused such a task. An architecture module may have
`unfit(task: Task) -> str | None`, which says why the architecture cannot take a task, and
`build_shortcut(config, task) -> nn.Module`, a faster module that computes the same from parameters
and buffers of the same names, and that packs use.
"""
