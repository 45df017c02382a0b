"""A pack's training step recorded as one CUDA graph: a step is then one call from Python."""

from collections.abc import Callable

import torch

from grokpipe.training.pack import Pack


class RecordedPack:
    """Trains a pack by a recorded step: gradients and the optimiser's update on fixed memory, into
    which each batch is copied. For packs without an intervention."""

    def __init__(self, pack: Pack):
        self.pack = pack
        batch = pack.cells[0].config.batch_size or len(pack.tasks[0].train)
        rows = torch.arange(batch, device=pack.device).expand(len(pack.members), -1)
        rows = rows % len(pack.inputs)
        self.inputs, self.labels = pack.inputs[rows], pack.labels[rows]
        # The recorded calls warm up on these rows; the state is then put back in place.
        parameters = [p.clone() for p in pack.parameters.values()]
        optimizer = pack.optimizer.state_dict()
        moments = {
            name: [t.clone() for t in value] if isinstance(value, list) else value.clone()
            for name, value in optimizer.items()
        }
        self.replay = recorded(self._step, pack.device)
        for mine, saved in zip(pack.parameters.values(), parameters, strict=True):
            mine.copy_(saved)
        pack.optimizer.load_state_dict(moments)

    def _step(self) -> None:
        self.pack.optimizer.step(self.pack.gradients(self.inputs, self.labels))

    def advance(self, steps: int) -> None:
        """Train every member for `steps` more steps, as `Pack.advance` does."""
        for inputs, labels in self.pack._batches(steps):
            self.inputs.copy_(inputs)
            self.labels.copy_(labels)
            self.replay()
            self.pack.step += 1


def recorded(call: Callable[[], None], device: torch.device) -> Callable[[], None]:
    """Record what `call` starts on the GPU; return a function that starts it again.

    On a CPU, where there is nothing to record, the call itself is returned after a first call.
    """
    if device.type != "cuda":
        call()
        return call
    aside = torch.cuda.Stream(device)  # PyTorch asks for a warm-up on another stream
    aside.wait_stream(torch.cuda.current_stream(device))
    with torch.cuda.stream(aside):
        for _ in range(3):
            call()
    torch.cuda.current_stream(device).wait_stream(aside)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        call()
    replay: Callable[[], None] = graph.replay
    return replay
