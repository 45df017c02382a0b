"""Architectures: plain modules for one network; a pack stacks them.

A module here has a dataclass `Config` (its first field `name`) and
`build(config, inputs: torch.Size, classes: int) -> nn.Module`, whose `forward` returns logits
(batch, classes) and features (batch, width), and whose last layer is the linear layer `head`.
"""
