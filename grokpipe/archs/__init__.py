"""Architectures: plain modules for one network; a pack stacks them.

A module here has a dataclass `Config` (its first field `name`) and
`build(config, task: Task) -> nn.Module`, whose `forward` returns logits (batch, classes) and
features (batch, width), and whose last layer is the linear layer `head`. It may have
`unfit(task: Task) -> str | None`, why it cannot take a task, and
`build_shortcut(config, task) -> nn.Module`, a faster module that computes the same from parameters
of the same names; packs use that one.
"""
