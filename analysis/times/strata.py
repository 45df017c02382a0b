"""Compare arms with a baseline within strata: runs of one learning rate with one another only.

A stratified test asks whether the arms differ when runs are compared with those of their own
stratum alone, so that what the strata do to the times, and how many runs each has of an arm, does
not count. The strata's own comparisons come beside it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.runs.selection.conditions import written
from analysis.stats import logrank, ranks, restricted, testing
from analysis.stats.survival import Times
from analysis.stats.testing import TestResult, refused
from analysis.times import compare
from analysis.times.compare import Arm, Margin
from analysis.times.labels import labelled
from grokpipe.errors import InputError

TESTS = ("log-rank", "stratified log-rank", "sign")
"""of compare.TESTS those that are made within strata; the second and third compare pairs: the runs
of a stratum that share a seed"""


@dataclass(frozen=True)
class Within:
    """A comparison within strata."""

    combined: pd.DataFrame
    """a row per event and arm, over all strata"""
    tests: pd.DataFrame
    """of these rows: all of TESTS, named `log-rank within lr`"""
    strata: pd.DataFrame
    """the columns of the strata, then the rows of `compare.compare` of each stratum"""
    strata_tests: pd.DataFrame
    """the same of its tests"""
    notes: list[str]
    """which strata are left out, or lack an arm, and why"""


def compare_within(
    events: pd.DataFrame,
    by: Sequence[str],
    within: Sequence[str],
    baseline: str,
    generator: np.random.Generator,
    test: str,
    alternative: str,
    margin: Margin | None,
    runs: pd.DataFrame,
) -> Within:
    """Every arm beside the baseline within the strata that the columns `within` make, for each
    event in `events`; the other arguments are those of `compare.compare`.

    A stratum without the baseline, or with nothing else, is left out. The combined table has per
    event and arm: strata (with both arms), n, reached, runs, diverged (in them); the `horizon` that
    all arms of all strata were followed to; the difference of restricted means
    (`restricted.stratified_mean_difference`), from pairs where the arms have the same seeds, one
    run each, in every stratum; `test` with p and p_holm. A row of the baseline has the counts of
    all its strata. p_holm is over all rows of the same test: of the combined table, and apart from
    that over the tables of all strata.

    Raises InputError for a test that is not of TESTS, where there is no such baseline, where no
    stratum compares, and as `compare.compare`.
    """
    if test not in TESTS:
        raise InputError(f"--test {test}: must be one of {', '.join(TESTS)} with --within")
    every = labelled(runs, by)
    baseline = compare.label_of(baseline, every, by)
    strata = list(_strata(runs, within))
    rows, tested, tables, tests, notes = [], [], [], [], []
    for event, of_event in events.groupby("event", sort=False):
        parts: list[tuple[_Stratum, dict[str, Arm]]] = []
        for stratum in strata:
            own = of_event[of_event["key"].isin(stratum.runs["key"])]
            label = _label(every[baseline], labelled(stratum.runs, by))
            if label is None:
                notes.append(f"note: {stratum.name}: no run of {baseline}: left out")
                continue
            try:
                table, long = compare.compare(
                    own, by, label, generator, test, alternative, margin, stratum.runs
                )
            except InputError as error:
                notes.append(f"note: {stratum.name}: left out: {error}")
                continue
            tables.append(_with(stratum.values, table))
            tests.append(_with(stratum.values, long))
            parts.append((stratum, _arms(own, every)))
            if missing := [label for label in every if label not in parts[-1][1]]:
                notes.append(f"note: {stratum.name}: no run of {', '.join(missing)}")
        if not parts:
            columns = ",".join(within)
            raise InputError(f"--within {columns}: no stratum compares {event}; {notes[-1][6:]}")
        until = restricted.horizon(
            (arm.times, arm.budgets) for _, arms in parts for arm in arms.values()
        )
        for label in sorted(every, key=lambda label: label != baseline):
            both = [(stratum, arms) for stratum, arms in parts if label in arms]
            if not both:
                continue
            row = {"event": event, "arm": label, "strata": len(both), "of_strata": len(parts)}
            row |= _counts([arms[label] for _, arms in both]) | {"horizon": until}
            row["runs"] = sum(s.runs["key"].isin(every[label]["key"]).sum() for s, _ in both)
            if label != baseline:
                pairs = [(arms[label], arms[baseline]) for _, arms in both]
                row |= _difference(pairs, until)
                results = all_tests(pairs, alternative)
                tested += [{"event": event, "arm": label} | vars(result) for result in results]
            rows.append(row)
    columns = f" within {', '.join(within)}"
    long = _adjusted(pd.DataFrame(tested))
    long["name"] += columns
    chosen = long.loc[
        long["name"] == test + columns, ["event", "arm", "name", "p", "p_holm", "method"]
    ].rename(columns={"name": "test", "method": "test_method"})
    strata_tests = _adjusted(pd.concat(tests, ignore_index=True))
    of_test = strata_tests.loc[strata_tests["name"] == test, [*within, "event", "arm", "p_holm"]]
    of_strata = pd.concat(tables, ignore_index=True).drop(columns="p_holm")
    return Within(
        combined=pd.DataFrame(rows).merge(chosen, on=["event", "arm"], how="left"),
        tests=long,
        strata=of_strata.merge(of_test, on=[*within, "event", "arm"], how="left"),
        strata_tests=strata_tests,
        notes=list(dict.fromkeys(notes)),
    )


def all_tests(pairs: Sequence[tuple[Arm, Arm]], alternative: str) -> Iterator[TestResult]:
    """The tests of TESTS of an arm against the baseline, given both in each stratum."""
    a, b = (_joined(side) for side in zip(*pairs, strict=True))
    labels = tuple(
        np.repeat(np.arange(len(side)), [len(arm.runs) for arm in side])
        for side in zip(*pairs, strict=True)
    )
    budgets = [np.concatenate([arm.budgets for arm in side]) for side in zip(*pairs, strict=True)]
    found = logrank.stratified(a, b, alternative, (labels[0], labels[1]), budgets)
    yield TestResult(**{**vars(found), "name": "log-rank"})
    of_seeds = [both for pair in pairs if (both := compare.paired(*pair)) is not None]
    if len(of_seeds) < len(pairs):
        why = "in a stratum the arms do not share two seeds with one run each"
        yield from (refused(name, why, alternative) for name in TESTS[1:])
        return
    first, second = (_joined(side) for side in zip(*of_seeds, strict=True))
    yield logrank.stratified(first, second, alternative)
    yield ranks.sign(first, second, alternative)


@dataclass(frozen=True)
class _Stratum:
    """The runs that have the same values of the columns of --within."""

    name: str
    values: dict[str, object]
    runs: pd.DataFrame


def _strata(runs: pd.DataFrame, within: Sequence[str]) -> Iterator[_Stratum]:
    """The strata in the order of `labelled`."""
    for own in labelled(runs, within).values():
        values = {column: own[column].iloc[0] for column in within}
        name = ", ".join(f"{column}={written(value)}" for column, value in values.items())
        yield _Stratum(name, values, own)


def _label(baseline: pd.DataFrame, arms: Mapping[str, pd.DataFrame]) -> str | None:
    """The label of the baseline's arm in a stratum, where fewer arms need be told apart; None if
    it has no run of the baseline."""
    keys = set(baseline["key"])
    return next((label for label, arm in arms.items() if keys.intersection(arm["key"])), None)


def _arms(events: pd.DataFrame, every: Mapping[str, pd.DataFrame]) -> dict[str, Arm]:
    """The arms of one event's rows that have one, in the order of seeds and keys."""
    ordered = events.sort_values(["seed", "key"])
    found = {label: ordered[ordered["key"].isin(arm["key"])] for label, arm in every.items()}
    return {label: Arm(label, rows) for label, rows in found.items() if len(rows)}


def _counts(arms: Sequence[Arm]) -> dict[str, object]:
    rows = pd.concat([arm.runs for arm in arms])
    reached = int(rows["observed"].sum())
    return {"n": len(rows), "reached": reached, "budget": rows["budget"].min()}


def _difference(pairs: Sequence[tuple[Arm, Arm]], until: float) -> dict[str, object]:
    of_seeds = [compare.paired(*pair) for pair in pairs]
    whole = all(
        both is not None and len(both[0].runs) == len(arm.runs) == len(base.runs)
        for both, (arm, base) in zip(of_seeds, pairs, strict=True)
    )
    used = [both for both in of_seeds if both is not None] if whole else pairs
    strata = [(arm.times, base.times) for arm, base in used]
    if not until > 0:
        return {"paired": whole}
    found = restricted.stratified_mean_difference(strata, until, whole)
    return {"paired": whole, **found.columns("difference")}


def _joined(arms: Sequence[Arm]) -> Times:
    every = [arm.times for arm in arms]
    return Times(
        np.concatenate([times.times for times in every]),
        np.concatenate([times.observed for times in every]),
    )


def _with(values: Mapping[str, object], table: pd.DataFrame) -> pd.DataFrame:
    """The table with the columns of a stratum before its own."""
    first = pd.DataFrame({name: [value] * len(table) for name, value in values.items()})
    return pd.concat([first, table.reset_index(drop=True)], axis=1)


def _adjusted(tests: pd.DataFrame) -> pd.DataFrame:
    """The tests with Holm's p over all rows of the same test."""
    adjusted = tests.groupby("name")["p"].transform(lambda p: testing.holm(p.to_numpy()))
    return tests.assign(p_holm=adjusted)
