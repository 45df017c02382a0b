"""Arguments of estimators against their signatures: what is wrong is named with the valid ones."""

import pytest

from analysis.claims.arguments import Known, arms_of, bind
from analysis.claims.arms import ArmNode
from analysis.claims.estimators import ESTIMATORS
from grokpipe.errors import InputError
from tests.helpers.toy_paper.entropy.estimates import times

ARMS = {name: ArmNode("e") for name in ("baseline", "mixing")}
KNOWN = Known(ARMS, "tests.helpers.toy_paper.entropy.estimates")


def bound(name: str, **args: object) -> dict[str, object]:
    return bind(ESTIMATORS[name], args, name, KNOWN)


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("mean_time", {"of": "baseline", "event": "t_grok_sustained"}),
        ("share_reached", {"of": ["baseline", "mixing"], "by_step": 500}),
        ("value_at", {"of": "mixing", "column": "loss", "at": 0}),
        ("value_at", {"of": "mixing", "column": "loss", "at": "t_mem"}),
        ("forecast_error", {"of": "mixing", "at": "last", "below": 1}),
        ("forecast_error", {"of": "mixing", "at": "50%", "less_than": "now"}),
    ],
)
def test_right_arguments_are_taken_as_they_are(name: str, args: dict) -> None:
    assert bound(name, **args) == args


def test_functions_of_a_curve_are_found_by_what_they_return() -> None:
    assert bound("share_of_runs", of="mixing", test="times.late")["test"] is times.late
    found = bound("mean_of_runs", of="mixing", value="times.first_accuracy")
    assert found["value"] is times.first_accuracy


@pytest.mark.parametrize(
    ("name", "args", "said"),
    [
        ("mean_time", {}, "mean_time: argument of is missing"),
        ("mean_time", {"of": "mixing", "evnt": "x"}, "no such argument evnt; valid: of, event"),
        ("mean_time", {"of": "mxing"}, "of=mxing: no such arm; valid: baseline, mixing"),
        ("mean_time", {"of": 3}, "of=3: no such arm"),
        ("mean_time", {"of": ["mixing"]}, "of=mixing: no such arm"),
        ("mean_time", {"of": "mixing", "event": "t_grk"}, "event=t_grk: no such event; valid: "),
        ("share_reached", {"of": ["mxing"]}, "of=mxing: no such arm"),
        ("share_reached", {"of": "mixing", "by_step": "x"}, "by_step=x: must be a whole number"),
        ("share_reached", {"of": "mixing", "by_step": True}, "by_step=True: must be a whole"),
        ("value_at", {"of": "mixing", "column": 3}, "column=3: must be text"),
        ("value_at", {"of": "mixing", "column": "x", "at": 0.5}, "at=0.5: no such event"),
        ("forecast_error", {"of": "mixing", "at": "60%"}, "valid: 25%, 50%, 75%, 90%, last"),
        ("forecast_error", {"of": "mixing", "at": "last", "below": "x"}, "must be a number"),
        ("share_of_runs", {"of": "mixing", "test": "times.lte"}, "no such function; valid: late"),
        ("share_of_runs", {"of": "mixing", "test": "times.first_accuracy"}, "no such function"),
        ("share_of_runs", {"of": "mixing", "test": "os.remove"}, "no such module; valid: times"),
        ("mean_of_runs", {"of": "mixing", "value": 3}, "value=3: must be module.function"),
    ],
)  # fmt: skip
def test_wrong_arguments_are_named(name: str, args: dict, said: str) -> None:
    with pytest.raises(InputError) as error:
        bound(name, **args)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_the_arms_of_a_call_include_the_default_one() -> None:
    assert arms_of(ESTIMATORS["delay"], {"of": "mixing"}) == ["mixing", "baseline"]
    assert arms_of(ESTIMATORS["share_reached"], {"of": ["a", "b"]}) == ["a", "b"]
