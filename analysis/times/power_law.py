"""Times to an event against weight decay or rate: τ = C λ^(−k) by the censored likelihood, beside
the laws that rival it.

The scatter is log-normal (analysis/stats/aft.py). A time enters as the interval between two
evaluations in which it is known to lie: taken as exact, tied times would make any exponent
look certain. The
likelihood takes runs as independent. Where they share seeds over λ, what a seed does to all its
runs alike does not blur the exponent, and its interval is rather too wide; the bootstrap resamples
seeds, and sees that.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from analysis.stats import aft, bootstrap
from analysis.stats.aft import Maximum
from analysis.stats.intervals import CONFIDENCE, FEW, Interval, none
from analysis.times import laws, regression
from analysis.times.laws import LAWS, LOGARITHMIC, POWER
from analysis.times.regression import Runs
from grokpipe.errors import InputError

METHODS = ("profile", "Wald", "bootstrap")
DEFAULT_FEW = "Wald"  # below FEW seeds
COLUMNS = (
    "event column k lower upper method n observed runs seeds min max constant sigma r2 lack_of_fit "
    "lack_of_fit_df lack_of_fit_ratio resolution delta_aic_exponential delta_aic_logarithmic note"
).split()

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Fit:
    """A law fitted to the times of one event."""

    law: str
    """power: τ = C Π x^(−k) · exponential: τ = C exp(−Σ k x) · logarithmic: τ = C − k log x"""
    event: str
    against: tuple[str, ...]
    n: int
    """runs, the censored ones among them"""
    observed: int
    seeds: int
    exponents: dict[str, Interval]
    """column → k, positive if the event comes later at smaller values"""
    constant: float
    """C"""
    sigma: float
    """standard deviation of log τ about the law; 0 if the law passes through all intervals between
    evaluations: then it is one of several that do"""
    log_likelihood: float
    aic: float
    ranges: dict[str, tuple[float, float]]
    """column → the least and the largest value, censored runs included"""
    r2: float
    """share of the variance of log τ that the law explains, by σ (`laws.explained`): R² where times
    are exact; NaN if no scatter is seen at all"""
    lack_of_fit: float
    """p against one free mean per grid point (`laws.lack_of_fit`); NaN where that cannot be told"""
    lack_of_fit_df: int
    """grid points less coefficients"""
    lack_of_fit_ratio: float
    """2 log Λ of that test"""
    lack_of_fit_why: str
    """why it cannot be told, or an empty text"""
    resolution: float
    """the longest time between evaluations in which an event was observed"""
    coefficients: Array = field(repr=False, compare=False)
    """coefficients of log τ, or of τ for the logarithmic law"""
    covariance: Array = field(repr=False, compare=False)
    """covariance of the coefficients and log σ; NaN where there is none"""

    def median(self, *values: ArrayLike) -> tuple[Array, Array, Array]:
        """The median time at these values, one array per column of `against`, and the ends of its
        95 % interval: delta method on log τ, t quantile; NaN without a covariance."""
        table = np.column_stack([np.asarray(of_column, dtype=float) for of_column in values])
        design = regression.design(table, laws.in_logarithms(self.law))
        line = design @ self.coefficients
        if self.law == LOGARITHMIC:
            return line, np.full_like(line, math.nan), np.full_like(line, math.nan)
        variance = np.einsum("ni,ij,nj->n", design, self.covariance[:-1, :-1], design)
        half = _t(self.observed - design.shape[1] - 1) * np.sqrt(variance)
        return np.exp(line), np.exp(line - half), np.exp(line + half)


def fit(
    events: pd.DataFrame,
    against: Sequence[str],
    generator: np.random.Generator,
    law: str = POWER,
    method: str | None = None,
) -> Fit:
    """The law under which the times of one event are likeliest.

    `events` are the rows of one event in the long table of `analysis.timescales.events`; `against`
    are columns of numbers: one, or several but for the logarithmic law.

    `method` is the interval of k. "profile": where the profile likelihood's logarithm is less than
    (n/2) log(1 + t²/(n − p)) below its maximum, with n observed runs and p coefficients; it is the
    t interval where times are exact, and tends to χ²/2. "Wald": from the observed information, t
    with n − p − 1. "bootstrap": BCa, a seed with all its runs. Default: the bootstrap from 20 seeds
    on, below that DEFAULT_FEW. k of the logarithmic law has no interval.

    Raises InputError where columns or runs allow no fit (`analysis.regression.runs`).
    """
    if law not in LAWS or method not in (None, *METHODS):
        raise ValueError(f"law={law}, method={method}: must be one of {LAWS}, of {METHODS}")
    if law == LOGARITHMIC and len(against) > 1:
        raise ValueError(f"against={against}: the logarithmic law has one column")
    runs = regression.runs(events, against, laws.in_logarithms(law))
    found = laws.maximise(runs, law)
    method = method or (DEFAULT_FEW if len(runs.by_seed) < FEW else "bootstrap")
    unscattered = law == LOGARITHMIC or not found.sigma
    p = len(found.coefficients)
    covariance = (
        np.full((p + 1, p + 1), math.nan) if unscattered else aft.covariance(runs.sample, found)
    )
    constant = found.coefficients[0] if law == LOGARITHMIC else np.exp(found.coefficients[0])
    lack = laws.lack_of_fit(runs, found)
    return Fit(
        law=law,
        event=runs.event,
        against=runs.against,
        n=runs.n,
        observed=runs.observed,
        seeds=len(runs.by_seed),
        exponents={
            name: none(-float(found.coefficients[column]), "logarithmic law")
            if law == LOGARITHMIC
            else _interval(runs, found, column, method, covariance, generator)
            for column, name in enumerate(runs.against, start=1)
        },
        constant=float(constant),
        sigma=float(found.sigma),
        log_likelihood=float(found.log_likelihood),
        aic=_aic(found),
        ranges={
            name: (float(values.min()), float(values.max()))
            for name, values in zip(runs.against, runs.values.T, strict=True)
        },
        r2=laws.explained(runs.sample, float(found.sigma)),
        lack_of_fit=lack.p,
        lack_of_fit_df=lack.df,
        lack_of_fit_ratio=lack.ratio,
        lack_of_fit_why=lack.why,
        resolution=runs.resolution,
        coefficients=found.coefficients,
        covariance=covariance,
    )


def compare_laws(events: pd.DataFrame, against: str = "weight_decay") -> pd.DataFrame:
    """The three laws for one event, a row each: law, constant, k, sigma, log_likelihood,
    parameters, aic, delta_aic (above the least), note. With two values of `against` each law passes
    through both means: delta_aic is NaN, and the note says so. Raises as `fit` does."""
    rows = []
    for law in LAWS:
        found = laws.maximise(regression.runs(events, [against], laws.in_logarithms(law)), law)
        first, slope = found.coefficients
        rows.append(
            {
                "law": law,
                "constant": float(first if law == LOGARITHMIC else np.exp(first)),
                "k": -float(slope),
                "sigma": float(found.sigma),
                "log_likelihood": float(found.log_likelihood),
                "parameters": len(found.coefficients) + 1,
                "aic": _aic(found),
            }
        )
    table, values = pd.DataFrame(rows), events[against].nunique()
    told = values > 2
    table["delta_aic"] = table["aic"] - table["aic"].min() if told else math.nan
    table["note"] = "" if told else f"{values} values of {against} cannot tell laws apart"
    return table


def exponents(
    events: pd.DataFrame,
    names: Sequence[str],
    against: Sequence[str],
    generator: np.random.Generator,
) -> pd.DataFrame:
    """Power laws of several events of the long table, a row per event and column of `against`.

    Columns: event, column, k, lower, upper, method, n, observed, runs (all of the table, of which
    n have the event, seen or censored), seeds, min and max (the fitted range), constant, sigma, r2,
    lack_of_fit, lack_of_fit_df, lack_of_fit_ratio, resolution, and, against one column,
    delta_aic_exponential and delta_aic_logarithmic (AIC above that of the power law), note. An
    event that allows no fit keeps its row, with the reason as its note.

    Raises InputError for columns that allow no fit of any event.
    """
    regression.check_columns(events, against, laws.in_logarithms(POWER))
    rows: list[dict[str, object]] = []
    every = events["key"].nunique()
    for name in names:
        of_event = events[events["event"] == name]
        try:
            rows += _rows(of_event, fit(of_event, against, generator))
        except InputError as refusal:
            runs = {
                "n": len(of_event),
                "observed": int(of_event["observed"].sum()),
                "seeds": of_event["seed"].nunique(),
            }
            rows += [{"event": name, "column": c, **runs, "note": str(refusal)} for c in against]
    return pd.DataFrame([row | {"runs": every} for row in rows], columns=COLUMNS)


def _rows(events: pd.DataFrame, fitted: Fit) -> list[dict[str, object]]:
    notes = [] if fitted.sigma else ["no scatter seen between evaluations"]
    why = fitted.lack_of_fit_why and f"lack of fit not told: {fitted.lack_of_fit_why}"
    same = dict(vars(fitted))
    if len(fitted.against) == 1:
        compared = compare_laws(events, fitted.against[0]).set_index("law")
        for law in LAWS[1:]:
            same[f"delta_aic_{law}"] = compared["delta_aic"][law] - compared["delta_aic"][POWER]
        why = compared["note"][POWER] or why  # one reason for both
    same["note"] = "; ".join(filter(None, [*notes, why]))
    rows = []
    for column, k in fitted.exponents.items():
        low, high = fitted.ranges[column]
        own = {"column": column, "k": k.estimate, "min": low, "max": high}
        rows.append(same | own | {"lower": k.lower, "upper": k.upper, "method": k.method})
    return rows


def _interval(
    runs: Runs,
    found: Maximum,
    column: int,
    method: str,
    covariance: Array,
    generator: np.random.Generator,
) -> Interval:
    """The interval of k, which is minus this coefficient."""
    k, n, p = -float(found.coefficients[column]), runs.observed, len(found.coefficients)
    if method == "profile":
        drop = n / 2 * math.log1p(_t(n - p) ** 2 / (n - p)) if n > p else math.inf
        low, high = aft.profile(runs.sample, found, column, drop)
        return Interval(k, -high, -low, method)
    if not found.sigma:
        return none(k, "no scatter seen between evaluations")
    if method == "Wald":
        if n <= p + 1:
            return none(k, f"{n} observed runs for {p + 1} parameters")
        half = _t(n - p - 1) * math.sqrt(covariance[column, column])
        return Interval(k, k - half, k + half, method)
    seeds = len(runs.by_seed)
    if seeds < 2:
        return none(k, "one seed")

    def statistic(indices: NDArray[np.intp]) -> Array:
        drawn = indices.reshape(-1, indices.shape[-1])
        places = drawn + seeds * np.arange(len(drawn))[:, None]
        times_drawn = np.bincount(places.reshape(-1), minlength=seeds * len(drawn))
        counts = times_drawn.reshape(-1, seeds) @ runs.by_seed
        refitted = aft.reweighted(runs.sample, counts, found)
        return -refitted.coefficients[:, column].reshape(indices.shape[:-1])

    return bootstrap.interval(statistic, [seeds], generator)


def _aic(found: Maximum) -> float:
    return 2 * (len(found.coefficients) + 1) - 2 * float(found.log_likelihood)


def _t(df: int) -> float:
    return float(stats.t.ppf((1 + CONFIDENCE) / 2, df)) if df > 0 else math.inf
