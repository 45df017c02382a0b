"""The registry of events: what each name means, and which events a task shows.

To add an event, add an entry to `EVENTS`; stop rules, `norm_freeze.from_event` and the analysis
read it. An installed package adds a dictionary of events by an entry point of the group
`grokpipe.events`. An event that is needed once can be a condition instead (`conditions`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from numpy.typing import ArrayLike

from grokpipe import plugins
from grokpipe.curves import conditions
from grokpipe.curves.events import (
    ENTROPY,
    FALL,
    GENERALISED,
    GROK_SUSTAINED,
    HALF_SUSTAINED,
    LEAST_SHARE,
    RNC1,
    WINDOW,
    Event,
)
from grokpipe.curves.kinds import (
    AboveChance,
    Arrival,
    Crossing,
    Fall,
    Followed,
    Half,
    Most,
    OfOtherSeeds,
    Ratio,
)
from grokpipe.curves.run import Definition, Run
from grokpipe.errors import InputError

MEMORISED = Crossing("train_accuracy", 0.99)
GROKKED = Crossing("test_accuracy", 0.99)

AFTER_MEMORISATION: dict[str, Any] = {"after": "t_mem", "evaluations": HALF_SUSTAINED}
"""of a half-change whose curve has a transient at the start: entropies and RNC1 rise or fall while
a network fits its training set, which is not the change that is asked for"""

EVENTS: dict[str, Definition] = {
    # Sakamoto & Sato
    "tau1": Crossing("train_accuracy", 1.0),
    "tau2_rise": Crossing("test_accuracy", AboveChance(plus=0.1), evaluations=3),
    "tau2_half": Half("test_accuracy", least=GENERALISED),
    "tau2_arrive": Arrival("test_accuracy", within=0.02, least=GENERALISED),
    "tau2_most": Most("test_accuracy", share=0.9, least=GENERALISED, evaluations=3),
    "t_mem": MEMORISED,
    "t_grok": GROKKED,
    "tau_rnc1@0.2": Crossing(RNC1, 0.2, rising=False),
    "tau_rnc1@0.1": Crossing(RNC1, 0.1, rising=False),
    "tau_rnc1@0.05": Crossing(RNC1, 0.05, rising=False),
    "tau_rnc1@0.01": Crossing(RNC1, 0.01, rising=False),
    # Truong et al., as t_mem and t_grok
    "t_grok_sustained": Crossing("test_accuracy", 0.99, evaluations=GROK_SUSTAINED),
    "tau_rnc1_half": Half(
        RNC1, least=LEAST_SHARE, rising=False, relative=True, **AFTER_MEMORISATION
    ),
    "t_collapse": Fall(ENTROPY, by=FALL, window=WINDOW),
    "t_collapse_last": Fall(ENTROPY, by=FALL, window=WINDOW, last_before="t_grok"),
    "t_cross": Crossing(
        ENTROPY,
        OfOtherSeeds("t_grok", "no other seed of the arm grokked where its entropy is known"),
        rising=False,
    ),
    "t_entropy_half": Half(ENTROPY, least=FALL, rising=False, **AFTER_MEMORISATION),
    "tau2_rise/tau1": Ratio("tau2_rise", "tau1"),
    "tau2_half/tau1": Ratio("tau2_half", "tau1"),
    "tau2_arrive/tau1": Ratio("tau2_arrive", "tau1"),
}
"""All events that have a name, in the order of tables."""

HALVES = {
    definition.column: definition for definition in EVENTS.values() if isinstance(definition, Half)
}
"""our half-changes that have a name, by their column"""

INSTALLED, NOT_READ = plugins.declared("events", known=EVENTS, kinds=Definition)
"""events of installed packages, and a line for each entry point that could not be read"""
EVENTS |= INSTALLED

OF_COLLAPSE = ("tau1", "tau2_rise", "tau2_half", "tau2_arrive", "tau_rnc1@0.1")
SHOWN = {
    "images": OF_COLLAPSE,
    "text": OF_COLLAPSE,
    "tokens": ("t_mem", "t_grok", "t_grok_sustained", "t_collapse", "t_cross"),
}
"""The events that tables show for a kind of task unless others are asked for: those that the papers
on it speak of."""

TASKS = {
    "mnist": "images",
    "fashion_mnist": "images",
    "cifar10": "images",
    "sentences": "text",
    "mod_add": "tokens",
    "mod_sub": "tokens",
    "mod_mul": "tokens",
    "mod_div": "tokens",
    "symmetric": "tokens",
    "equations": "tokens",
}
"""The kind of a task by its name, for tables of runs; a task that is not here shows the events of
every kind."""


def columns(names: Iterable[str] | None = None) -> tuple[str, ...]:
    """The columns of the curves that these events are read from, by default all of `EVENTS`; those
    of the events that they refer to included."""
    found: dict[str, None] = {}
    for name in EVENTS if names is None else names:
        definition = definition_of(name)
        found |= dict.fromkeys(definition.columns)
        found |= dict.fromkeys(columns(_referred_to(definition)))
    return tuple(found)


def _referred_to(definition: Definition) -> list[str]:
    if isinstance(definition, Ratio):
        return [definition.late, definition.early]
    if isinstance(definition, Fall) and definition.last_before:
        return [definition.last_before]
    if isinstance(definition, Crossing) and isinstance(definition.level, OfOtherSeeds):
        return [definition.level.at]
    return []


def shown(tasks: Iterable[str]) -> tuple[str, ...]:
    """The events that a table of runs on these tasks shows, in the order of `EVENTS`."""
    kinds = {TASKS.get(task) for task in tasks}
    wanted = {name for kind in SHOWN if kinds & {kind, None} for name in SHOWN[kind]}
    wanted |= {*INSTALLED} if None in kinds else set()
    return tuple(name for name in EVENTS if name in wanted)


def needs_others(name: str) -> bool:
    """Whether a run alone does not have the event: its level is learned from other seeds."""
    definition = definition_of(name)
    return isinstance(definition, Crossing) and isinstance(definition.level, OfOtherSeeds)


def half_of(column: str, from_first: bool = False) -> Half:
    """The half-change of a column: the one that has a name; of another accuracy, half of its rise
    from the first value, at which an accuracy has no transient; of any other column, half of its
    change in either direction after memorisation. Or that of each from the first value, as the
    first evaluation that is half-way."""
    if from_first:
        return replace(half_of(column), after=None, evaluations=1)
    if column in HALVES:
        return HALVES[column]
    if column.endswith("accuracy"):
        return Half(column, least=GENERALISED)
    return Half(column, least=LEAST_SHARE, rising=None, relative=True, **AFTER_MEMORISATION)


def is_ratio(name: str) -> bool:
    """Whether an event is a ratio of times, such as tau2_half/tau1, rather than a step."""
    return "/" in name and not conditions.is_condition(name)


def needs_classes(name: str) -> bool:
    """Whether an event depends on the number of classes: its level is above chance."""
    definition = definition_of(name)
    if isinstance(definition, Ratio):
        return needs_classes(definition.late) or needs_classes(definition.early)
    return isinstance(definition, Crossing) and isinstance(definition.level, AboveChance)


def canonical(text: str) -> str:
    """The name of an event, or a condition in its one spelling. Raises InputError for neither."""
    text = text.strip()
    if text in EVENTS:
        return text
    if half := conditions.half_change(text):
        return str(half)
    if conditions.is_condition(text):
        return conditions.spelling(conditions.parse(text))
    raise InputError(
        f"{text}: no such event; valid: {', '.join(EVENTS)}, or a condition like "
        f"{'; '.join([conditions.EXAMPLES, *NOT_READ])}"
    )


def definition_of(name: str) -> Definition:
    """Look up an event in `EVENTS`, or parse a condition or `half(column)`. Raises InputError for
    neither."""
    if half := conditions.half_change(name):
        return half_of(*half)
    if name not in EVENTS:
        name = canonical(name)
    return EVENTS[name] if name in EVENTS else conditions.parse(name)


def complaint(text: str) -> str | None:
    """Why training cannot wait for an event, as a stop rule does; None if it can."""
    valid = [name for name, definition in EVENTS.items() if not definition.afterwards]
    forms = f"{', '.join(valid)}, or a condition like {conditions.EXAMPLES}"
    text = text.strip()
    if conditions.half_change(text):
        return f"training cannot know {definition_of(text).afterwards}; must be one of {forms}"
    if text not in EVENTS:
        if not conditions.is_condition(text):
            return f"must be one of {forms}"
        try:
            conditions.parse(text)
        except InputError as error:
            return str(error).removeprefix(f"{text}: ")
        return None
    if afterwards := EVENTS[text].afterwards:
        return f"training cannot know {afterwards}; must be one of {forms}"
    return None


def followed(name: str) -> Followed:
    """The definition of an event that training can wait for (`complaint` is None)."""
    definition = definition_of(name)
    assert isinstance(definition, Followed) and not definition.afterwards, name
    return definition


def run_events(
    curves: Mapping[str, ArrayLike],
    chance: float,
    budget: float,
    finished: bool,
    levels: Mapping[str, float] | None = None,
    names: Iterable[str] | None = None,
) -> dict[str, Event]:
    """The times of one run, by name, in the order of `names`: of all `EVENTS`, or of these events
    and conditions.

    `curves` has the column step and those that were measured; `chance` is 1/classes, NaN where they
    are not known; `levels` has the levels given for each run, by the event's name: the entropy at
    which other seeds grokked for t_cross. Left out are events of columns that were not measured, of
    levels that are not given or lie above a chance that is not known, and ratios whose denominator
    was not seen. What needs a final value (half, arrive) is censored in a run that is not finished.
    """
    wanted = EVENTS if names is None else {name: definition_of(name) for name in names}
    given = {EVENTS[name]: level for name, level in (levels or {}).items()}
    run = Run(curves, chance, budget, finished, {**EVENTS, **wanted}, given)
    times = ((name, run.time(name)) for name in wanted)
    return {name: time for name, time in times if time is not None}
