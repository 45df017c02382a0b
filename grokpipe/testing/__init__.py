"""Checks of one's own tasks, architectures, measures, interventions and optimisers.

Each check trains small cells with the component, found by name as in a configuration, and raises
AssertionError with a line that says what is wrong. They need no test framework:

    from grokpipe.testing import check_intervention

    def test_label_noise():
        check_intervention("label_noise", "intervention.share=0.2")

Further arguments are overrides of the configuration, such as `task=…` and `arch=…`; without them
the cells are small MLPs on addition modulo 7. Training is in float64 on the CPU.
"""

from grokpipe.testing.components import (
    check_arch,
    check_intervention,
    check_measure,
    check_optimizer,
    check_task,
)

__all__ = ["check_arch", "check_intervention", "check_measure", "check_optimizer", "check_task"]
