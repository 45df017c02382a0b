"""The arguments of an estimator, checked against its signature when a claims file is read."""

import inspect
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NewType, Union, get_args, get_origin, get_type_hints

import pandas as pd

from analysis.claims import lookup
from analysis.claims.arms import ArmNode
from analysis.claims.lookup import listed
from grokpipe.curves import conditions, definitions
from grokpipe.errors import InputError

ArmName = NewType("ArmName", str)
"""a name of `arms`"""
EventName = NewType("EventName", str)
Column = NewType("Column", str)
"""of the curves"""
CurveTest = Callable[[pd.DataFrame], bool | None]
"""a function of one run's curve (a row per evaluation): whether the run shows something; None where
that cannot be asked of it"""
CurveValue = Callable[[pd.DataFrame], float]
"""a function of one run's curve; NaN where the run has no such number"""
RESULTS: dict[Any, list[Any]] = {CurveTest: [bool, bool | None], CurveValue: [float]}
PLAIN = {str: "text", bool: "true or false", int: "a whole number", float: "a number"}


@dataclass(frozen=True)
class Known:
    """The names that arguments may use."""

    arms: Mapping[str, ArmNode]
    package: str
    """of the paper's own functions"""


def bind(
    function: Callable[..., Any], args: Mapping[str, Any], where: str, known: Known
) -> dict[str, Any]:
    """The keyword arguments of an estimator, names of functions resolved. Raises InputError for an
    argument that is unknown, missing or of the wrong kind, with the valid ones."""
    hints = get_type_hints(function)
    parameters = dict(list(inspect.signature(function).parameters.items())[1:])
    for name in args:
        if name not in parameters:
            raise InputError(f"{where}: no such argument {name}; valid: {listed(parameters)}")
    for name, parameter in parameters.items():
        if parameter.default is parameter.empty and name not in args:
            raise InputError(f"{where}: argument {name} is missing")
    return {
        name: _checked(value, hints[name], f"{where}: {name}={_shown(value)}", known)
        for name, value in args.items()
    }


def event_complaint(name: Any) -> str | None:
    """Why a name is neither that of an event nor a condition; None if it is. Ratios of times have
    estimators of their own."""
    valid = [event for event in definitions.EVENTS if not definitions.is_ratio(event)]
    if name in valid:
        return None
    if not conditions.is_condition(str(name)):
        form = f"or a condition like {conditions.EXAMPLES}"
        return f"no such event; valid: {listed(valid)}, {form}"
    try:
        definitions.canonical(str(name))
    except InputError as error:
        return str(error)
    return None


def arms_of(function: Callable[..., Any], args: Mapping[str, Any]) -> list[str]:
    """The names of the arms that a call uses, by default as well."""
    hints = get_type_hints(function)
    found: list[str] = []
    for name, parameter in list(inspect.signature(function).parameters.items())[1:]:
        value = args.get(name, parameter.default)
        if ArmName in (hints[name], *get_args(hints[name])):
            found += [value] if isinstance(value, str) else value or []
    return found


def _checked(value: Any, kind: Any, where: str, known: Known) -> Any:
    if kind in RESULTS:
        _require(isinstance(value, str), f"{where}: must be module.function")
        return lookup.function(known.package, value, RESULTS[kind], where)
    if get_origin(kind) in (Union, types.UnionType):
        return _of_union(value, get_args(kind), where, known)
    if get_origin(kind) is list:
        _require(isinstance(value, list) and len(value) > 0, f"{where}: must be a list")
        return [_checked(item, get_args(kind)[0], where, known) for item in value]
    if get_origin(kind) is Literal:
        valid = get_args(kind)
        _require(value in valid, f"{where}: no such choice; valid: {listed(valid)}")
    elif kind is ArmName:
        _require(value in list(known.arms), f"{where}: no such arm; valid: {listed(known.arms)}")
    elif kind is EventName:
        said = event_complaint(value)
        _require(said is None, f"{where}: {said}")
    else:
        plain: type = str if kind is Column else kind
        allowed = (int, float) if plain is float else plain
        right = isinstance(value, allowed) and (plain is bool or not isinstance(value, bool))
        _require(right, f"{where}: must be {PLAIN[plain]}")
    return value


def _of_union(value: Any, kinds: tuple[Any, ...], where: str, known: Known) -> Any:
    """The value as the first kind that takes it; the error is that of the first kind."""
    first: InputError | None = None
    for kind in kinds:
        if kind is types.NoneType:
            continue
        try:
            return _checked(value, kind, where, known)
        except InputError as error:
            first = first or error
    assert first is not None
    raise first


def _require(right: bool, said: str) -> None:
    if not right:
        raise InputError(said)


def _shown(value: Any) -> str:
    return listed(value) if isinstance(value, list) else str(value)
