"""The estimators that papers share, by the names under which claims files know them.

Each takes the runs and keyword arguments and returns an Estimate; it raises NotRun if runs that it
needs are not there.
"""

from collections.abc import Callable

from analysis.claims.estimate import Estimate
from analysis.claims.estimators.curves import (
    change_between,
    correlation,
    difference_at,
    mean_of_runs,
    partial_correlation,
    share_of_runs,
    synchrony,
    value_at,
    variance_at,
)
from analysis.claims.estimators.increments import correlation_difference, tracking_gain
from analysis.claims.estimators.laws import clock, forecast_error, forecast_lead, gap_law
from analysis.claims.estimators.ratios import repeat_spread, slowdown
from analysis.claims.estimators.slopes import exponent, joint_exponent, log_slope
from analysis.claims.estimators.times import (
    calibrated_lead,
    delay,
    mean_lead,
    mean_time,
    share_before,
    share_reached,
    share_without,
    time_ratio,
)

ESTIMATORS: dict[str, Callable[..., Estimate]] = {
    function.__name__: function
    for function in (
        mean_time, share_reached, share_before, share_without, mean_lead, calibrated_lead, delay,
        time_ratio, slowdown, repeat_spread, exponent, joint_exponent, log_slope,
        value_at, variance_at, difference_at, change_between, correlation, partial_correlation,
        synchrony, correlation_difference, tracking_gain, share_of_runs, mean_of_runs,
        gap_law, clock, forecast_error, forecast_lead,
    )
}  # fmt: skip
