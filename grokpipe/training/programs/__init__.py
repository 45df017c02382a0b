"""Functions of tensors as programs: the training step, traced or compiled."""
