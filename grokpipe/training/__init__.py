"""Training of one pack: the loop, stacked cells, batches, evaluation, compiling, memory."""
