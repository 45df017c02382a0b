"""Measure seed-steps per second of packs, of loops that a user would write in PyTorch and in JAX,
and of bare products, on the whole machine.

All contenders run in the same processes, in turns of about a second, so short that a burst of other
load meets all of them; the medians over the turns are compared (turns.py). JAX takes part where it
is installed (the extra `bench`).

    python -m benchmarks.packs [--seconds 0.8] [--rounds 7] [--minutes 12] [--only mlp] [--store]
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec
from tempfile import TemporaryDirectory
from typing import Any

import pooch
import torch

from benchmarks._common import RESULTS, machine, show
from benchmarks.contenders.networks import NETWORKS, cells
from benchmarks.contenders.plain import (
    PatchNetwork,
    loaded,
    plain_equations,
    plain_images,
    plain_transformer,
    resident,
)
from benchmarks.contenders.products import (
    LAYOUTS,
    Bare,
    WithAdamW,
    arithmetic,
    faster_library,
    library,
)
from benchmarks.contenders.turns import CORES, Built, Contender, Steps, match, repeated
from grokpipe.training.choosing import chosen
from grokpipe.training.evaluate import Evaluator
from grokpipe.training.pack import Pack

WIDTHS = (1, 4, 10)
MANY = 64
ALL = 10  # width of the packs when all cores are in use
JAX_WIDTHS, JAX_STEPS = (1, 4), 50


def contenders(which: str) -> Iterator[Contender]:
    """List who takes part for a network."""
    mlp, compared = which.startswith("mlp"), NETWORKS[which].compared
    if mlp or which == "cnn":
        yield from plain("plain: data resident", lambda c: plain_images(c, resident(c)), which)
    elif which == "causal_transformer":
        yield from plain("plain: module", plain_equations, which)
    elif which == "image_transformer":
        yield from plain(
            "plain: TransformerEncoderLayer",
            lambda c: plain_images(c, resident(c), PatchNetwork),
            which,
        )
    else:
        layers = "TransformerEncoder" if "two" in which else "TransformerEncoderLayer"
        yield from plain(f"plain: {layers}", plain_transformer, which)
    if which == "mlp":
        make = partial(of_plain, lambda c: plain_images(c, loaded(c)), which)
        yield Contender("plain: DataLoader", CORES, 1, make)
    if compared and missing_jax() is None:
        for width in JAX_WIDTHS:
            make = partial(of_jax, which, width)
            yield Contender(f"JAX, {width} a process", CORES, 1, make, bound=True)
    for width in (*WIDTHS, MANY):
        yield Contender(f"pack of {width}", 1, 1, partial(of_pack, which, width, "on"))
    yield Contender(f"pack of {ALL}", CORES, 1, partial(of_pack, which, ALL, "on"))
    yield Contender(f"pack of {ALL}, eager", CORES, 1, partial(of_pack, which, ALL, "off"))
    yield Contender(f"pack of {ALL}, evaluated", CORES, 1, partial(evaluated, which, ALL, "on"))
    for layout, count in LAYOUTS.items() if compared else ():
        make = partial(of_products, Bare, which, count)
        yield Contender(f"products alone, {layout}", CORES, 1, make)
        if mlp:
            make = partial(of_products, WithAdamW, which, count)
            yield Contender(f"products and AdamW alone, {layout}", CORES, 1, make)


def missing_jax() -> str | None:
    """Name the packages that the JAX contender lacks; None if it can take part."""
    missing = [name for name in ("jax", "optax") if find_spec(name) is None]
    return " and ".join(missing) or None


def plain(name: str, make: Callable[..., Steps], which: str) -> Iterator[Contender]:
    """A loop in one process with all threads, and in as many processes as there are cores."""
    if CORES > 1:
        yield Contender(name, 1, CORES, partial(of_plain, make, which))
    yield Contender(name, CORES, 1, partial(of_plain, make, which))


def of_plain(make: Callable[..., Steps], which: str) -> Built:
    """A plain loop by the library of products that makes it faster."""
    steps = make(*cells(which, 1))
    name = faster_library(steps, trials=2)

    def turn(seconds: float) -> float:
        with library(name):
            return repeated(steps)(seconds)

    return Built(turn, name)


def of_jax(which: str, width: int) -> Built:
    from benchmarks.contenders.jax_loop import Trainer

    steps = JAX_STEPS if which.startswith("mlp") else JAX_STEPS // 5
    return Built(repeated(Trainer(cells(which, width), steps)))


def built_pack(which: str, width: int, setting: str) -> tuple[Pack, str]:
    """A pack as training chooses its execution under `compile=setting`, and what was chosen. For a
    wide one that is the choice for ALL cells: its own would take a minute to measure."""
    members = cells(which, width)
    execution, _ = chosen(members[:ALL], torch.device("cpu"), setting)
    products = f", {len(execution.products)} products by onednn" if execution.products else ""
    how = f"{execution.order}, {'compiled' if execution.compiled else 'eager'}{products}"
    return Pack(members, execution=execution), how


def of_pack(which: str, width: int, setting: str) -> Built:
    pack, how = built_pack(which, width, setting)
    chunk = NETWORKS[which].chunk

    def steps() -> int:
        pack.advance(chunk)
        return chunk * width

    return Built(repeated(steps), how)


def evaluated(which: str, width: int, setting: str) -> Built:
    """A pack with every measure at the published interval.

    A turn trains as the others do, then evaluates each cell once; its rate is that of a whole
    interval, in which the steps take as long each and the evaluation comes once.
    """
    pack, how = built_pack(which, width, setting)
    evaluators = [
        Evaluator.of(c.config, task) for c, task in zip(pack.cells, pack.tasks, strict=True)
    ]
    network = NETWORKS[which]

    def steps() -> int:
        pack.advance(network.chunk)
        return network.chunk * width

    def turn(seconds: float) -> float:
        training = network.every * width / repeated(steps)(seconds)
        begun = time.perf_counter()
        outputs = [pack.outputs(i) for i in range(width)]
        for evaluator, of_cell in zip(evaluators, outputs, strict=True):
            evaluator.row(of_cell)
        return network.every * width / (training + time.perf_counter() - begun)

    return Built(turn, how)


def of_products(make: Callable[..., Any], which: str, count: int) -> Built:
    steps = make(*cells(which, 1), count)
    return Built(repeated(steps), str(steps))


def summary(which: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Ratios of the medians, each contender using the whole machine."""

    def rates(start: str, processes: int = 0) -> list[float]:
        return [
            row["seed_steps_per_second"]
            for row in rows
            if row["name"].startswith(start) and processes in (0, row["processes"])
        ]

    def rate(name: str, processes: int = CORES) -> float:
        return next(
            row["seed_steps_per_second"]
            for row in rows
            if (row["name"], row["processes"]) == (name, processes)
        )

    ours, bare_products = rate(f"pack of {ALL}"), max(rates("products alone"), default=0.0)
    found: dict[str, Any] = {}
    for name, start in (("JAX", "JAX"), ("plain", "plain")):
        if others := rates(start):
            found[f"over {name}"] = round(ours / max(others), 2)
    if bare_products:
        found["share of products"] = round(ours / bare_products, 3)
    if limit := rates("products and AdamW alone"):
        found["share of products and AdamW"] = round(ours / max(limit), 3)
    found |= {
        "evaluations": round(ours / rate(f"pack of {ALL}, evaluated") - 1, 3),
        f"cost of {MANY} over {ALL}": round(
            (MANY / rate(f"pack of {MANY}", 1)) / (ALL / rate(f"pack of {ALL}", 1)), 2
        ),
    }
    if bare_products:
        of_step = arithmetic(*cells(which, 1))
        found |= {
            "gflops of products": round(bare_products * of_step / 1e9, 1),
            "megaflop of a seed-step": round(of_step / 1e6, 1),
        }
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=0.8, help="duration of a turn")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument(
        "--minutes", type=float, default=12, help="for all networks; then fewer rounds"
    )
    parser.add_argument("--only", choices=NETWORKS, help="one of the networks")
    parser.add_argument("--store", action="store_true", help=f"write into {RESULTS}")
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error(f"--rounds {options.rounds}: must be ≥ 1")
    if missing := missing_jax():
        print(f"JAX skipped: {missing} not installed (the extra `bench`)", file=sys.stderr)
    if options.only and options.store:
        parser.error("--store keeps all networks: not with --only")
    result: dict[str, Any] = {"machine": {**machine(), "torch": torch.__version__}}
    if not missing:
        import jax

        result["machine"]["jax"] = jax.__version__
    networks = [options.only] if options.only else [*NETWORKS]
    end = time.monotonic() + 60 * options.minutes
    with fresh_choices():
        for done, which in enumerate(networks):
            until = time.monotonic() + (end - time.monotonic()) / (len(networks) - done)
            rows = match(contenders, which, options.seconds, options.rounds, until)
            result[which] = {"summary": summary(which, rows), "contenders": rows}
    show(result, "packs", options.store)


@contextmanager
def fresh_choices() -> Iterator[None]:
    """Let packs measure anew how to compute their steps, as on a new machine; code that was
    compiled before is used again."""
    compiled = str(pooch.os_cache("grokpipe") / "compiled")
    before = {name: os.environ.get(name) for name in ("TORCHINDUCTOR_CACHE_DIR", "XDG_CACHE_HOME")}
    os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", compiled)
    with TemporaryDirectory() as folder:
        os.environ["XDG_CACHE_HOME"] = folder
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value


if __name__ == "__main__":
    main()
