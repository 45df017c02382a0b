r"""Names in mathematics, for print: $\tau_2^{\mathrm{half}}$ for tau2_half."""

import re

from grokpipe.curves import conditions
from grokpipe.curves.definitions import is_ratio

EVENTS = {
    "tau1": r"\tau_1",
    "tau2_rise": r"\tau_2^{\mathrm{rise}}",
    "tau2_half": r"\tau_2^{\mathrm{half}}",
    "tau2_arrive": r"\tau_2^{\mathrm{arrive}}",
    "tau2_most": r"\tau_2^{\mathrm{most}}",
    "t_mem": r"T_{\mathrm{mem}}",
    "t_grok": r"T_{\mathrm{grok}}",
    "t_grok_sustained": r"T_{\mathrm{grok}}^{\mathrm{sust}}",
    "tau_rnc1_half": r"\tau_{\mathrm{RNC1}}^{\mathrm{half}}",
    "t_collapse": r"T_{\mathrm{collapse}}",
    "t_collapse_last": r"T_{\mathrm{collapse}}^{\mathrm{last}}",
    "t_cross": r"T_{\mathrm{cross}}",
    "t_entropy_half": r"T_{H}^{\mathrm{half}}",
}
"""Events by their names; `event` makes those of ratios, levels of RNC1 and conditions."""

COLUMNS = {
    "weight_decay": r"\lambda",
    "lr": r"\eta",
    "batch_size": "B",
    "optimizer.betas": r"(\beta_1, \beta_2)",
    "optimizer.momentum": r"\mu",
    "intervention.alpha": r"\alpha",
    "intervention.beta": r"\beta",
    "task.p": "p",
    "task.n": "n",
    "init_scale": r"\alpha_{\mathrm{init}}",
}
"""Configuration columns by their names"""

_RELATIONS = {">=": r"$\geq$ ", "<=": r"$\leq$ ", ">": "$>$ ", "<": "$<$ "}


def event(name: str) -> str:
    """The event as it is printed; a name without a symbol stays in words."""
    symbol = _symbol(name)
    if symbol:
        return f"${symbol}$"
    if conditions.is_condition(name):
        for sign, relation in _RELATIONS.items():
            if sign in name:
                name = name.replace(sign, f" {relation}", 1)
                break
    return words(name)


def _symbol(name: str) -> str | None:
    if found := re.fullmatch(r"tau_rnc1@([\d.]+)", name):
        return rf"\tau_{{\mathrm{{RNC1}} \leq {found[1]}}}"
    if name in EVENTS or not is_ratio(name):
        return EVENTS.get(name)
    late, early = map(_symbol, name.split("/", 1))
    return f"{late} / {early}" if late and early else None


def column(name: str) -> str:
    """The configuration column as it is printed: a symbol, or the last part of its name."""
    symbol = COLUMNS.get(name)
    return f"${symbol}$" if symbol else words(name.removesuffix(".name").rpartition(".")[2])


def words(name: str) -> str:
    return name.replace("_", " ")
