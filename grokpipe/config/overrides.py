"""Overrides, `key=value`: parse them, and list the values of those that are swept."""

import math
import re
from collections.abc import Iterator, Sequence
from decimal import Decimal

from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, RangeSweep
from hydra.core.utils import filter_overrides

from grokpipe.errors import InputError

EVENT_IN_BRACES = re.compile(r"(\bevent:\s*)(sustained\([^)]*\)|[^\s,}\"']*[<>][^\s,}\"']*)")
QUOTES = "'\""
HELP = re.compile(r"\s*See https?://\S+.*", flags=re.S)
MOST = 10**6  # points of a grid; more would be a slip that fills the memory


class DecimalRange(RangeSweep):
    """A range whose numbers are exact in decimals: range(0.1,0.4,0.1) is 0.1, 0.2, 0.3.

    Hydra adds binary fractions, which gives 0.30000000000000004 and, now and then, one number more.
    """

    def __len__(self) -> int:
        start, stop, step = map(_decimal, (self.start, self.stop, self.step))
        return max(0, math.ceil((stop - start) / step)) if step else 0

    def range(self) -> Iterator[int | float]:  # type: ignore[override]
        """Yield the numbers: integers if start, stop and step are."""
        values = (self.start, self.stop, self.step)
        kind = int if all(isinstance(value, int) for value in values) else float
        start, step = _decimal(self.start), _decimal(self.step)
        return (kind(start + i * step) for i in range(len(self)))


def _decimal(value: int | float | None) -> Decimal:
    """The number as it was typed: 15 digits, for sort() has subtracted binary fractions."""
    return Decimal(f"{value:.15g}" if isinstance(value, float) else str(value))


def parse(text: str, loader: ConfigLoader | None = None) -> Override:
    """Parse one override.

    Args:
        text: the override, such as `seed=range(3)`.
        loader: lists the members of a group for glob().

    Raises:
        InputError: wrong syntax.
    """
    try:
        override = OverridesParser.create(config_loader=loader).parse_override(text)
    except Exception as error:
        raise InputError(_syntax_error(text, error)) from error
    if not override.key_or_group:
        raise InputError(f"{text}: not an override; write key=value")
    override.config_loader = loader
    return override


def parse_sweep(texts: Sequence[str], loader: ConfigLoader) -> list[Override]:
    """Parse the overrides of a grid.

    Raises InputError for wrong syntax, for a sweep that has no values or none that can be listed,
    and for a grid of more than MOST points.
    """
    overrides = {text: parse(text, loader) for text in texts}
    counts = {override.get_key_element(): _count(override) for override in overrides.values()}
    if (points := math.prod(counts.values())) > MOST:
        swept = ", ".join(key for key, count in counts.items() if count > 1)
        raise InputError(f"a grid of {points:,} points over {swept}; must be at most {MOST:,}")
    return [*overrides.values()]


def _count(override: Override) -> int:
    """Number of values of an override; a range becomes one of exact decimals."""
    text, value = override.input_line, override.value()
    if not override.is_sweep_override():
        return 1
    if not override.is_discrete_sweep():
        raise InputError(f"{text}: a grid takes lists, range, choice and glob")
    if isinstance(value, RangeSweep):
        numbers = (value.start, value.stop, value.step)
        if not all(isinstance(number, int | float) and math.isfinite(number) for number in numbers):
            raise InputError(f"{text}: must have finite numbers")
        if not value.step:
            raise InputError(f"{text}: step 0; must be above or below 0")
        value = override._value = DecimalRange(**vars(value))
        count = len(value)
    else:
        count = sum(1 for _ in override.sweep_iterator())
    if not count:
        raise InputError(f"{text}: no values")
    return count


def varying(job_overrides: Sequence[Sequence[str]]) -> list[list[str]]:
    """Overrides of each job that not all jobs share, without Hydra's own."""
    kept = [list(filter_overrides(overrides)) for overrides in job_overrides]
    shared = set(kept[0]).intersection(*kept)
    return [[override for override in overrides if override not in shared] for overrides in kept]


def with_quotes(text: str) -> str:
    """The override with double quotes around each condition on a curve, as Hydra's grammar wants
    it: stop.event="test_accuracy>=0.9"."""
    key, equals, value = text.partition("=")
    if value.startswith("{"):
        return EVENT_IN_BRACES.sub(r'\1"\2"', text)
    if not key.endswith("event") or not re.search("[<>]", value):
        return text
    from grokpipe.curves import conditions  # NumPy, which --help can do without

    return key + equals + ",".join(f'"{one.strip(QUOTES)}"' for one in conditions.split(value))


def _syntax_error(text: str, error: Exception) -> str:
    """The line for an override that Hydra's grammar does not take."""
    if (quoted := with_quotes(text)) != text:
        return f"{text}: Hydra needs quotes around a condition; write '{quoted}'"
    if "=" not in text and not text.startswith("~"):
        return f"{text}: not an override; write key=value"
    why = " ".join(HELP.sub("", str(error)).split())
    return f"{text}: {why or type(error).__name__}; quote a text with special characters"
