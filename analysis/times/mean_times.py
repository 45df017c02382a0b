"""The mean time of an event in one arm."""

import numpy as np

from analysis.output.formats import number
from analysis.stats import effects, restricted
from analysis.stats.intervals import Interval
from analysis.times.compare import Arm


def mean_time(arm: Arm, generator: np.random.Generator) -> tuple[Interval, str]:
    """The mean restricted to the steps that the runs were followed to, and a clause that says so
    if some did not have the event.

    If none had it before that, the mean is the horizon h and has no spread. But a share of runs
    that go on beyond h is bounded from below (Clopper & Pearson), and so is the mean of
    min(time, h), which is h in these: the interval is that.
    """
    times, observed = arm.times.times, arm.times.observed
    until = restricted.horizon([(arm.times, arm.budgets)])
    if observed.all():
        return restricted.restricted_mean(times, observed, until, generator), ""
    followed, before = times >= until, observed & (times < until)
    if not before.any() and until > 0:
        least = effects.proportion(int(followed.sum()), int(followed.sum())).lower
        said = f"bound by Clopper–Pearson, none of {followed.sum()} runs before {number(until)}"
        found = Interval(until, least * until, until, said)
    else:
        found = restricted.restricted_mean(times, observed, until, generator)
    note = f"{(~observed).sum()} of {len(observed)} runs were not seen to grok"
    return found, f"{note}: mean time up to {number(until)} steps"
