"""What a regulariser refuses, and what its settings make of a key."""

from dataclasses import replace

import pytest
import torch

from grokpipe.errors import InputError
from grokpipe.interventions import regularise

REGULARISE = "intervention=regularise"
BAD = [
    ((REGULARISE, "intervention.bound=2"), "intervention.bound=2: has no effect with"),
    ((REGULARISE, "intervention.head=cap"), "intervention.bound=null: intervention.head=cap needs"),
    ((REGULARISE, "intervention.head=cap", "intervention.bound=0"), "bound=0: must be > 0"),
    ((REGULARISE, "intervention.head=ball", "intervention.bound=1"), "one of cap, sphere"),
    ((REGULARISE, "intervention.temperature=0"), "temperature=0: must be > 0"),
    ((REGULARISE, "intervention.temperature=2"), "no effect with intervention.measure=entropy"),
    (
        (REGULARISE, "intervention.measure=uncertainty", "intervention.unit_features=true"),
        "only with kappa_surrogate",
    ),
    (
        (REGULARISE, "intervention.measure=kappa", "loss=stablemax"),
        "measure=kappa: has no form for loss=stablemax, only for cross_entropy, squared_error; "
        "valid: entropy, cdnv",
    ),
    ((REGULARISE, "intervention.measure=uncertainty", "loss=squared_error"), "has no form for"),
    (
        (REGULARISE, "intervention.from_step=3", "intervention.from_event=t_mem"),
        "intervention.from_step=3: contradicts intervention.from_event=t_mem",
    ),
    (
        (REGULARISE, "intervention.until.step=3", "intervention.until.event=t_mem"),
        "intervention.until.step=3: contradicts intervention.until.event=t_mem",
    ),
    (
        (REGULARISE, "intervention.from_step=9", "intervention.until.step=9"),
        "intervention.until.step=9: must be > intervention.from_step=9",
    ),
    (
        (REGULARISE, "intervention.from_event=t_mem", "intervention.until.event=t_mem"),
        "must differ from intervention.from_event",
    ),
    ((REGULARISE, "intervention.until.lr_factor=10"), "lr_factor=10: nothing ends at which"),
    (
        (REGULARISE, "intervention.until.step=9", "intervention.until.release_head=true"),
        "nothing to release with intervention.head=null",
    ),
    (
        (
            REGULARISE, "intervention.until.step=9", "intervention.until.lr_factor=2",
            "intervention.until.weight_decay=0",
        ),
        "one change at a time",
    ),
    ((REGULARISE, "intervention.until.event=t_mum"), "intervention.until.event=t_mum: must be"),
    ((REGULARISE, "intervention.from_event=tau2_rise"), "level depends on the number of classes"),
    ((REGULARISE, "intervention.until.lr_factor=0"), "lr_factor=0: must be > 0"),
    (("intervention=head_norm", "intervention.head=null"), "must be one of cap, sphere"),
    (("intervention=head_norm", "intervention.bound=null"), "head=cap needs a norm"),
    (
        (
            "intervention=head_norm", "intervention.until.step=9",
            "intervention.until.release_head=true",
        ),
        "all that head_norm ends is the bound",
    ),
]  # fmt: skip


@pytest.mark.parametrize("overrides, message", BAD)
def test_bad_input_is_one_line(compose, overrides, message) -> None:
    with pytest.raises(InputError) as refusal:
        compose("task=mod_add", *overrides)
    assert message in str(refusal.value) and "\n" not in str(refusal.value)


def test_cdnv_needs_two_classes(token_cell) -> None:
    cell = token_cell(REGULARISE, "intervention.measure=cdnv")
    task = cell.task
    regularise.check_task(cell.config, task)
    single = replace(task, labels=torch.zeros_like(task.labels))
    with pytest.raises(
        InputError, match=r"^intervention.measure=cdnv: the training set of task=mo"
    ):
        regularise.check_task(cell.config, single)


def test_neutral_settings_leave_older_keys_alone(token_cell) -> None:
    cell = token_cell("intervention=regularise")
    assert cell.values["intervention"] == {"name": "regularise", "measure": "entropy", "beta": 0.1}
    changed = token_cell("intervention=regularise", "intervention.until.step=9")
    assert changed.values["intervention"]["until"] == {"step": 9}
    assert changed.key != cell.key and changed.shared == cell.shared
    spelled = token_cell(
        "intervention=regularise", "intervention.until.event='test_accuracy >= 0.50'"
    )
    assert spelled.config.intervention.until.event == "test_accuracy>=0.5"
