"""The figures show the numbers of the runs, and refuse runs that are not there."""

from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
import yaml
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.claims.arms import ArmNode, Runs
from analysis.claims.reading import CLAIMS, PAPERS
from analysis.claims.schema import figure_numbers
from analysis.figures.style import prepare
from analysis.papers.collapse.figures import decays, figure_3
from analysis.runs.experiments import Experiments, NotRun
from analysis.runs.tables import write_gathered
from tests.helpers import entropy_runs
from tests.helpers.entropy_runs import Run

NUMBERS = figure_numbers("analysis.papers.collapse")
CONTENT = yaml.safe_load((PAPERS / "collapse" / CLAIMS).read_text())
ARMS = {name: ArmNode(**given) for name, given in CONTENT["arms"].items()}
SEEDS, END = (42, 43, 44), 20_000
INFORMATION = ("compression", "compression_5nn", "nhsic")
RATE = 300
"""steps in which RNC1 falls to 1/e at a decay of 1"""


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    prepare()
    yield
    plt.close("all")


def grid(decays: Sequence[float], **settings: object) -> list[Run]:
    """A run a seed at each decay that groks at 200/decay + 100 seeds; every tenth evaluation has
    what is measured from snapshots."""
    return [one(decay, seed, settings) for decay in decays for seed in SEEDS]


def one(decay: float, seed: int, settings: Mapping[str, object]) -> Run:
    settings = {"weight_decay": decay, "arch.depth": 3, **settings}
    groks = 200 / decay + 100 * (seed - SEEDS[0])
    made = Run(seed, groks, settings=dict(settings), classes=10, budget=END, ends=END)
    step = made.steps
    collapsed = np.exp(-step * decay / RATE)
    made.curves.update(
        {"collapse/rnc1": collapsed, "collapse/nc1": collapsed, "collapse/nc2_cond": 1 + collapsed}
    )
    sparse = np.where(step % 1_000 == 0, 1.0, np.nan)
    for name in INFORMATION:
        x, y = 2 + collapsed, 2 - collapsed
        made.curves[f"information/{name}_x"] = x * sparse
        made.curves[f"information/{name}_y"] = y * sparse
        made.curves[f"information/{name}_difference"] = (x - y) * sparse
    made.curves["theorem/bound"] = collapsed * sparse
    for pair in ((0, 1), (4, 5), (8, 9)):
        for of_set in ("train", "test"):
            for label, side in zip(pair, (1, -1), strict=True):
                for q in (0, 25, 50, 75, 100):
                    name = f"margins/{pair[0]}_{pair[1]}/{of_set}/{label}/q{q}"
                    made.curves[name] = sparse * (side + (q - 50) / 100)
    return made


def write(folder: Path, **experiments: Sequence[Run]) -> Runs:
    for name, several in experiments.items():
        write_gathered(entropy_runs.tables(name, several, folder), folder / name)
    return Runs(Experiments(folder, "collapse"), ARMS)


@pytest.fixture(scope="module")
def mlp(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    return write(tmp_path_factory.mktemp("runs"), weight_decay=grid((0.3, 0.1, 0.03)))


def draw(number: int, runs: Runs) -> Figure:
    figure = import_module(f"analysis.papers.collapse.figures.figure_{number}").draw(runs)
    assert isinstance(figure, Figure)
    return figure


def points(axis: Axes, dash: str) -> dict[object, list[list[float]]]:
    """The lines of several points with these dashes, by colour."""
    return {
        line.get_color(): line.get_xydata().tolist()
        for line in axis.get_lines()
        if line.get_linestyle() == dash and len(line.get_xdata()) > 1
    }


def marks(axis: Axes) -> set[tuple[float, float, str]]:
    """Where published numbers are marked, with the marker."""
    return {
        (float(line.get_xdata()[0]), float(line.get_ydata()[0]), line.get_marker())
        for line in axis.get_lines()
        if line.get_markerfacecolor() == "white"
    }


def test_every_figure_says_what_it_is_and_needs_its_runs(tmp_path: Path) -> None:
    assert [*range(2, 11), *range(13, 17)] == NUMBERS
    runs = write(tmp_path)
    for number in NUMBERS:
        module = import_module(f"analysis.papers.collapse.figures.figure_{number}")
        assert module.TITLE.endswith(".") and (number in (13, 15, 16)) is module.OURS
        with pytest.raises(NotRun, match="not run"):
            module.draw(runs)


def test_figure_3_has_the_median_of_each_decay_and_the_published_numbers(mlp: Runs) -> None:
    accuracy, rnc1, nc2 = draw(3, mlp).axes
    colours = decays.colours(mlp.arm("decays").tables)
    assert list(colours) == sorted(decays.DECAYS)
    steps = np.arange(100, END + 1, 100)
    for decay in (0.3, 0.03):
        expected = np.column_stack([steps, np.exp(-steps * decay / RATE)])
        np.testing.assert_allclose(points(rnc1, "-")[colours[decay]], expected)
        jump = next(x for x, y in points(accuracy, "-")[colours[decay]] if y == 1)
        assert jump == pytest.approx(200 / decay + 100, abs=100)  # of the middle seed
    assert len(points(accuracy, "--")) == 3
    assert len(points(nc2, "-")) == 3
    assert marks(accuracy) == {
        (10_000, 0.2, "D"), (20_000, 0.2, "D"), (60_000, 0.2, "D"), (100_000, 0.2, ">"),
        (16_000, 0.15, "s"), (100_000, 0.88, "s"),
    }  # fmt: skip


def test_figure_4_connects_the_snapshots(mlp: Runs) -> None:
    axes = draw(4, mlp).axes
    colour = decays.colours(mlp.arm("decays").tables)[0.1]
    for axis in axes[:3]:
        x, y = np.transpose(points(axis, "-")[colour])
        assert x.tolist() == list(range(1_000, END + 1, 1_000))
        np.testing.assert_allclose(y, 2 * np.exp(-x * 0.1 / RATE))
    assert len(points(axes[3], "-")[colour]) == END / 100


def test_what_was_not_measured_is_not_drawn(tmp_path: Path) -> None:
    without = grid((0.01,))
    for made in without:
        for name in [name for name in made.curves if not name.startswith("collapse")]:
            del made.curves[name]
    runs = write(tmp_path, weight_decay=without)
    for number in (2, 4, 13, 16):
        with pytest.raises(NotRun, match="not measured"):
            draw(number, runs)
    with pytest.raises(NotRun, match="needs two values to fit"):
        draw(15, runs)  # no fit against a single decay


def test_violins_are_at_the_snapshots_that_are_nearest(tmp_path: Path) -> None:
    runs = write(tmp_path, weight_decay=grid((0.01,)), cnn=grid((0.1,)))
    for number, titles in ((5, ["16,000", "20,000"]), (8, ["1,000", "20,000"])):
        axes = draw(number, runs).axes
        said = [axis.get_title("left").partition(",  ")[0] for axis in axes[:2]]
        assert [text.split(", test")[0] for text in said] == [f"step {one}" for one in titles]
    assert [text.get_text() for text in axes[0].get_xticklabels()] == ["class 0", "class 1"]


def test_networks_and_data_have_rows_of_panels(tmp_path: Path) -> None:
    small = grid((0.3,), **{"task.name": "fashion_mnist"})
    scales = grid((0.1,), init_scale=1.0) + grid((0.1,), init_scale=8.0)
    runs = write(tmp_path, fashion_mnist=small, sentences=scales)
    for number, names in (
        (6, [""]),  # without the larger set
        (10, ["1 × initial weights", "8 × initial weights"]),
    ):
        axes = draw(number, runs).axes
        assert [axis.get_ylabel() for axis in axes[::3]] == names
        assert axes[0].get_title("left").startswith("test accuracy")


def test_the_information_plane_has_a_path_a_decay(mlp: Runs) -> None:
    axes = draw(13, mlp).axes
    for axis in axes:
        paths = points(axis, "-")
        assert len(paths) == 3
        for path in paths.values():
            assert path[0] == [3, 1]
            np.testing.assert_allclose(np.sum(path, 1), 4)


def test_times_against_decay_have_fits_and_table_1(mlp: Runs) -> None:
    fitted, risen, collapsed = draw(15, mlp).axes
    assert {x for x, _, _ in marks(fitted)} == set(figure_3.RISE) | set(figure_3.LATER)
    assert (0.01, 60_000, "D") in marks(risen) and (0.003, 100_000, "^") in marks(risen)
    assert marks(collapsed) == set()
    low, high = risen.get_ylim()
    assert low < 10_000 and high > 100_000  # what is marked is seen
    title = collapsed.get_title("left")
    said, k = title.split("\n")
    assert said == "collapse, 6 of 9 runs"  # RATE ln(10)/λ, which is 23,026 at 0.03
    assert float(k.split()[2]) == pytest.approx(1, abs=0.05)  # of times to the next evaluation
