"""A pack's training step recorded as one CUDA graph: a step is then one call from Python."""

from collections.abc import Callable

import torch
from torch import Tensor

from grokpipe.optimizers import rates
from grokpipe.training.pack import Pack
from grokpipe.training.trees import select


class RecordedPack:
    """Trains a pack in lockstep by a recorded step, into whose fixed memory the rows of each batch
    and the optimiser's coefficients are copied. For packs without an intervention or warm-up."""

    def __init__(self, pack: Pack):
        self.pack = pack
        (self.stack,) = pack.stacks
        stack = self.stack
        batch = pack.cells[0].config.batch_size or len(pack.tasks[0].train)
        rows = torch.arange(batch, device=pack.device) % len(pack.data.inputs)
        self.rows = rows.repeat(stack.width, 1)
        self.rates = rates([cell.config for cell in stack.cells], pack.cells[0].config.steps, 1)
        self.coefficients = self._coefficients(1)[0].clone() if stack.compiled else None
        # The recorded calls warm up, on these rows; then the state is put back in place.
        before = select(stack.state_dict(), range(stack.width))
        with torch.no_grad():
            if self.coefficients is not None:
                # its first call, which compiles, also comes before the record
                stack.step(self.rows[None], pack.step)
            self.replay = recorded(self._step, pack.device)
            for name, parameter in stack.parameters.items():
                parameter.copy_(before["parameters"][name])
        stack.load_state_dict(before)

    def _coefficients(self, steps: int) -> Tensor:
        return self.stack.coefficients(self.pack.step, steps)

    def _step(self) -> None:
        stack = self.stack
        if self.coefficients is None:
            gradients = stack.gradients(*stack.batch(self.rows), [])
            stack.optimizer.step(gradients, *(rates[0] for rates in self.rates))
            return
        fixed = self.rows, self.coefficients
        rows, own = (t[0] for t in fixed) if stack.width == 1 else fixed
        stack.programs.steps[stack.width](*stack._step_arguments(rows, own, [], []))

    def advance(self, steps: int) -> None:
        """Train every member for `steps` more steps, as `Pack.advance` does."""
        pack = self.pack
        rows = torch.stack([pack.streams[i].take(steps) for i in pack.members], 1)
        if pack.device.type == "cuda":
            rows = rows.pin_memory().to(pack.device, non_blocking=True)
        coefficients = self._coefficients(steps) if self.coefficients is not None else None
        with torch.no_grad():
            for step, batch in enumerate(rows.unbind()):
                self.rows.copy_(batch)
                if coefficients is not None and self.coefficients is not None:
                    self.coefficients.copy_(coefficients[step])
                self.replay()
        if coefficients is not None:
            self.stack.optimizer.advanced(steps)
        pack.step += steps


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
