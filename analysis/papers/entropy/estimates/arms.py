"""E2 and E3: what mixing and its controls do to the time of grokking (Truong et al. 2026, section 6
and Table 1)."""

from collections.abc import Iterable, Iterator, Sequence

import pandas as pd

from analysis.claims.findings import Finding
from analysis.output.formats import estimated
from analysis.papers.entropy.estimates import arm_tables, manipulation
from analysis.papers.entropy.estimates.conditions import (
    ALPHA,
    BASELINE,
    GROK,
    HELD_UP,
    MATCHED,
    MIXING,
    NOISE,
    NORM_ALONE,
    PUSHED_DOWN,
    SUSTAINED,
    TEMPERATURE,
    Condition,
    arms,
    baseline,
    groks,
    runs,
)
from analysis.papers.entropy.estimates.shares import finished, share
from analysis.runs.combine import join
from analysis.runs.experiments import Experiments, NotRun
from analysis.runs.tables import Tables
from analysis.stats import means
from analysis.times import contrasts
from analysis.times.contrasts import Contrast


def mixing_delay(experiments: Experiments) -> Finding:
    return _delay(experiments, MIXING)


def matched_delay(experiments: Experiments) -> Finding:
    return _delay(experiments, MATCHED)


def temperature_delay(experiments: Experiments) -> Finding:
    return _delay(experiments, TEMPERATURE)


def held_up_delay(experiments: Experiments) -> Finding:
    return _delay(experiments, HELD_UP)


def pushed_down_delay(experiments: Experiments) -> Finding:
    return _delay(experiments, PUSHED_DOWN)


def mixing_raises_entropy(experiments: Experiments) -> Finding:
    """By how much H̃ of clean probes is higher under mixing than in the baseline of the same seed,
    where that groks: the mean over the strengths of each seed. Raises NotRun."""
    rows = manipulation.raised(experiments, MIXING)
    strengths = rows["strength"].nunique()
    by_seed = rows.groupby("seed")["raised"].agg(["mean", "size"])
    whole = by_seed[by_seed["size"] == strengths]  # or seeds would differ by the strengths they had
    if whole.empty:
        raise NotRun(f"{MIXING.experiment}: no seed with a grokked baseline in every arm")
    rows = rows[rows["seed"].isin(whole.index)]
    note = f"mean over α = {_list(rows['strength'])}"
    if left := len(by_seed) - len(whole):
        note += f"; {left} seeds without a run at every α are left out"
    if ended := int(rows["ended"].sum()):
        note += f"; {ended} of {len(rows)} runs had ended by then and count with their last H̃"
    behind = _behind(experiments, [MIXING], [*rows["key"], *rows["baseline"]])
    found = means.mean(whole["mean"].to_numpy(), experiments.generator())
    return Finding(found, len(behind.cells), behind, seeds=len(whole), note=note)


def mixing_beyond_noise(experiments: Experiments) -> Finding:
    """By how much mixing delays more than noise of the same size, at the strengths that both have;
    the baseline's times cancel. Raises NotRun."""
    mixing, noise = arms(experiments, MIXING), arms(experiments, NOISE)
    shared = [alpha for alpha in mixing if alpha in noise]
    if not shared:
        raise NotRun(f"{NOISE.experiment}: no strength that {MIXING.experiment} has")
    share = 1 / len(shared)
    terms = [(share, mixing[alpha]) for alpha in shared]
    terms += [(-share, noise[alpha]) for alpha in shared]
    found = contrasts.weighted(terms, experiments.generator())
    note = [f"mean over α = {_list(shared)}"]
    for alpha in shared if len(shared) > 1 else ():
        apart = contrasts.weighted(
            [(1, mixing[alpha]), (-1, noise[alpha])], experiments.generator()
        )
        note.append(f"at α = {_list([alpha])}: {estimated(apart.interval)}")
    return _finding(experiments, [MIXING, NOISE], found, "; ".join(note))


def matched_grokked(experiments: Experiments) -> Finding:
    """The share of the runs with mixing and a matched norm that grok, all strengths together."""
    return _grokked(experiments, MATCHED)


def norm_alone_ratio(experiments: Experiments) -> Finding:
    """The mean time with the norm matched and no mixing, over the baseline's. Raises NotRun."""

    def compared(event: str) -> Contrast:
        (arm,) = arms(experiments, NORM_ALONE, event).values()
        return contrasts.ratio(arm, baseline(experiments, event), experiments.generator())

    note = _holding(estimated(compared(SUSTAINED).interval, 2))
    return _finding(experiments, [NORM_ALONE], compared(GROK), note)


def tables(experiments: Experiments) -> dict[str, pd.DataFrame]:
    """`arm_tables.tables`: Table 1, its tests, the trend, and the check of the manipulation."""
    return arm_tables.tables(experiments)


def _delay(experiments: Experiments, condition: Condition) -> Finding:
    """The restricted mean time of the arms of a condition, averaged over their strengths seed by
    seed, less the baseline's of the same seeds. Raises NotRun."""

    def compared(event: str) -> Contrast:
        of_condition = arms(experiments, condition, event).values()
        terms = [(1 / len(of_condition), arm) for arm in of_condition]
        terms.append((-1, baseline(experiments, event)))
        return contrasts.weighted(terms, experiments.generator())

    symbol = "α" if condition.strength == ALPHA else "β"
    averaged = f"mean over {symbol} = {_list(arms(experiments, condition))}"
    note = "; ".join(
        (
            averaged,
            *_by_strength(experiments, condition, symbol),
            _holding(estimated(compared(SUSTAINED).interval)),
        )
    )
    return _finding(experiments, [condition], compared(GROK), note)


def _by_strength(experiments: Experiments, condition: Condition, symbol: str) -> Iterator[str]:
    """The delay at each strength, where there are several: their mean may be that of one."""
    of_condition = arms(experiments, condition)
    if len(of_condition) < 2:
        return
    base = baseline(experiments, GROK)
    for strength, arm in of_condition.items():
        found = contrasts.weighted([(1, arm), (-1, base)], experiments.generator())
        yield f"at {symbol} = {_list([strength])}: {estimated(found.interval)}"


def _holding(found: str) -> str:
    """A run may reach 0.99 once and fall back."""
    return f"by the time from which test accuracy holds for 5 evaluations: {found}"


def _grokked(experiments: Experiments, condition: Condition) -> Finding:
    tables = runs(experiments, condition)
    found = groks(tables)
    note = "the runs of a seed at several strengths count as independent; by arm: " + "; ".join(
        f"{arm.label}: {int(arm.times.observed.sum())} of {len(arm.runs)}"
        for arm in arms(experiments, condition).values()
    )
    observed = found["observed"].astype(bool)
    return share(condition.experiment, tables, found, observed, finished(found), note)


def _finding(
    experiments: Experiments, conditions: Sequence[Condition], found: Contrast, more: str = ""
) -> Finding:
    behind = _behind(experiments, conditions, found.keys)
    note = "; ".join(said for said in (found.note, more) if said)
    return Finding(found.interval, len(behind.cells), behind, seeds=found.seeds, note=note)


def _behind(
    experiments: Experiments, conditions: Sequence[Condition], keys: Sequence[str]
) -> Tables:
    several = [runs(experiments, condition) for condition in conditions]
    return join([experiments.tables(BASELINE), *several], experiments.folder).only(keys)


def _list(strengths: Iterable[float | None]) -> str:
    known = sorted({value for value in strengths if value is not None})
    return ", ".join(f"{value:g}".replace("-", "−") for value in known)
