"""State and arguments that an intervention must have."""

import pytest
import torch

from grokpipe.errors import InputError
from grokpipe.interventions import Plain, _checks, noise


class Made(Plain):
    def __init__(self, state: object = None, arguments: object = ()):
        self.state, self.given = {} if state is None else state, arguments

    def state_dict(self):
        return self.state

    def arguments(self, step):
        return self.given


def test_ours_pass(compose) -> None:
    configs = [compose("intervention=noise", f"seed={seed}") for seed in range(3)]
    ours = noise.Stacked(configs, (5, 2), torch.device("cpu"))
    made = Made({"a": [torch.ones(2, 1)]}, [torch.ones(2)])
    assert _checks.check(ours, "noise", cells=3) is None
    assert _checks.check(made, "x", cells=2) is None


@pytest.mark.parametrize(
    ("made", "line"),
    [
        (Made(state=[1]), "state_dict returns a list; must be a dict"),
        (Made({"a": 1}), "state_dict['a'] is a int; must be a tensor (cell, …)"),
        (
            Made({"a": [torch.ones(3)]}),
            "state_dict['a'][0] has shape (3,); must be (cell, …), here (2, …)",
        ),
        (
            Made(arguments=[torch.ones(())]),
            "arguments[0] has shape (); must be (cell, …), here (2, …)",
        ),
        (Made(arguments=[0.5]), "arguments[0] is a float; must be a tensor (cell, …)"),
    ],
)
def test_anything_else_is_one_line(made: Made, line: str) -> None:
    with pytest.raises(InputError) as refusal:
        _checks.check(made, "x", cells=2)
    assert str(refusal.value) == f"intervention=x: {line}"


def test_generators_without_a_state_are_refused() -> None:
    made = Made()
    made.draws = [torch.Generator()]  # type: ignore[attr-defined]
    with pytest.raises(InputError, match=r"^intervention=x: holds generators \(draws\) but state"):
        _checks.check(made, "x", cells=2)
