"""E1 by variant: against what the runs were made to be."""

from pathlib import Path

import pytest

from analysis.papers.entropy.tables import variants
from analysis.runs.experiments import NotRun
from grokpipe.curves.events import ENTROPY
from tests.helpers.entropy_runs import START, Run, write

SETTINGS = {"arch.norm": "pre", "arch.tokens": 3, "arch.embedding": "unit"}
SECOND = {"optimizer.betas": "[0.9, 0.999]"}


def runs(times: list[float], settings: dict[str, object], **values: float) -> list[Run]:
    every = {"optimizer.betas": "[0.9, 0.98]", **SETTINGS, **settings}
    return [Run(seed, time, settings=every, **values) for seed, time in enumerate(times)]


def test_a_row_for_each_variant_the_main_one_first(tmp_path: Path) -> None:
    first, second = runs([1_500, 1_900], SECOND, at_grok=0.5), runs([2_000, 2_400], {})
    first[0].curves["weight_norm"] = 50 + 100 * first[0].table("x")[ENTROPY].to_numpy()
    first[1].curves["weight_norm"] = 50 + 100 * first[1].table("x")[ENTROPY].to_numpy()
    experiments = write(tmp_path, e1_baseline=second, second_beta=[*runs([900, 1_000], {}), *first])
    (table,) = variants.tables(experiments).values()
    assert len(table) == 3
    main, other = table.iloc[0], table[table["betas"] == "[0.9, 0.999]"].iloc[0]
    assert main["T_grok [95 %]"].startswith("2,200 [")
    assert main["H̃(0)"] == f"{START:.3f}" and main["H̃* [95 %]"].startswith("0.600")
    assert main["T_collapse < T_grok"] == "2/2"
    assert main["lead of T_collapse [95 %], where seen"].startswith("300")
    assert other["grokked"] == "2/2" and other["H̃* [95 %]"].startswith("0.500")
    assert other["r of norm and H̃ until T_grok"] == "+1.00"


def test_without_another_variant_there_is_nothing_to_compare(tmp_path: Path) -> None:
    with pytest.raises(NotRun, match="e1_post: not run; second_beta: not run"):
        variants.tables(write(tmp_path, e1_baseline=runs([2_000], {})))


def test_a_variant_that_does_not_grok_has_a_row(tmp_path: Path) -> None:
    never = runs([1_000], {"arch.norm": "post"})[0]
    never = Run(0, None, settings=never.settings)
    experiments = write(tmp_path, e1_baseline=runs([2_000, 2_200], {}), e1_post=[never])
    (table,) = variants.tables(experiments).values()
    assert table["grokked"].tolist() == ["2/2", "0/1"]
    assert table["H̃* [95 %]"].tolist()[1] == "–"
