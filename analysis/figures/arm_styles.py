"""Styles that tell arms apart, and what names them: a legend that fits, or a colour bar."""

import textwrap
from collections.abc import Iterable, Sequence
from itertools import cycle, islice
from typing import Literal

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.transforms import ScaledTranslation, Transform

from analysis.figures.run_lines import Colour, palette

Dash = Literal["-", "--", "-.", ":"]
Place = Literal[
    "outside upper center", "outside upper left", "outside upper right", "outside lower center"
]

DASHES: tuple[Dash, ...] = ("-", "--", "-.", ":")
MANY = 12
"""arms of numbers above which a colour bar names them"""
TICKS = 10  # arms that a colour bar names, at most
FREE = 24  # letters of a label beside the axes that a figure is wide enough for
LETTERS = 15  # of a title per inch
BELOW = 0.4  # inches of the first row of a legend below, with its title
BESIDE, SPREAD = 5.0, 40.0  # points between marks at one value, and of all of them


def wider(labels: Iterable[str]) -> float:
    """Inches that a figure with the labels in a column beside its axes needs beyond its width."""
    return 0.06 * max(0, max(map(len, labels)) - FREE)


def styles(count: int, numeric: bool) -> list[tuple[Colour, Dash]]:
    """Colour and dashes of each arm.

    Colours run from dark to light, and dashes differ too, so that lines can be told apart in grey
    print and by the colour-blind. A colour bar shows no dashes, so that `numeric` arms of which
    there are more than MANY have none.
    """
    dashes = DASHES[:1] if numeric and count > MANY else DASHES
    return list(zip(palette(count), islice(cycle(dashes), count), strict=True))


def beside(place: int, count: int) -> float:
    """Points by which the mark at a place is moved sideways, so that none of `count` marks at one
    value hides another: at most BESIDE from the next, and all within SPREAD."""
    apart = min(BESIDE, SPREAD / max(count - 1, 1))
    return (place - (count - 1) / 2) * apart


def moved(axis: Axes, right: float, up: float = 0) -> Transform:
    """The transform of an artist drawn so many points beside its values. Set it on what is drawn:
    then the axes have its values."""
    figure = axis.get_figure(root=True)
    assert figure is not None
    return axis.transData + ScaledTranslation(right / 72, up / 72, figure.dpi_scale_trans)


def name_arms(
    figure: Figure, axes: Sequence[Axes], handles: Sequence[Artist], title: str, numeric: bool
) -> None:
    """Name the arms by the labels of their `handles`, in the styles of `styles`: in a legend above
    or, if they are numeric and more than MANY, by a colour bar beside the axes."""
    if numeric and len(handles) > MANY:
        colour_bar(figure, axes, [str(handle.get_label()) for handle in handles], title)
    else:
        legend(figure, handles, title)


def name_both(
    figure: Figure,
    axes: Sequence[Axes],
    colours: tuple[Sequence[Artist], str, bool],
    dashes: tuple[Sequence[Artist], str],
) -> None:
    """Name two columns of arms by their handles and titles: colours as `name_arms` does (the third
    value is its `numeric`), dashes in a legend beside theirs or, if both do not fit into the
    figure's width, below."""
    handles, title, numeric = colours
    if numeric and len(handles) > MANY:
        name_arms(figure, axes, handles, title, numeric)
        legend(figure, *dashes, loc="outside upper center")
        return
    if _width(figure, handles, title) + _width(figure, *dashes) < figure.bbox.width:
        legend(figure, handles, title, "outside upper left")
        legend(figure, *dashes, loc="outside upper right")
        return
    legend(figure, handles, title)
    legend(figure, *dashes, loc="outside lower center")
    figure.set_figheight(figure.get_figheight() + BELOW)


def _width(figure: Figure, handles: Sequence[Artist], title: str) -> float:
    """Width of a legend in one row, in pixels."""
    found = _row(figure, handles, title, len(handles), "outside upper center")
    width = found.get_window_extent().width
    found.remove()
    return float(width)


def legend(
    figure: Figure,
    handles: Sequence[Artist],
    title: str = "",
    loc: Place = "outside upper center",
) -> None:
    """Draw a legend of the labelled `handles` outside the axes, in rows that fit into the figure's
    width, and make the figure higher by all rows but the first."""
    labels = [str(handle.get_label()) for handle in handles]
    width, first = figure.bbox.width, 0.0
    for columns in range(len(handles), 0, -1):
        found = _row(figure, handles, title, columns, loc)
        box = found.get_window_extent()
        first = first or box.height
        if box.width <= width:
            break
        if columns == 1:  # a label alone is too long
            letters = int(0.9 * max(map(len, labels)) * width / box.width)
            for text, label in zip(found.get_texts(), labels, strict=True):
                text.set_text(textwrap.fill(label, letters, subsequent_indent="    "))
            box = found.get_window_extent()
            break
        found.remove()
    figure.set_figheight(figure.get_figheight() + (box.height - first) / figure.dpi)


def _row(figure: Figure, handles: Sequence[Artist], title: str, columns: int, loc: Place) -> Legend:
    return figure.legend(
        handles, [str(handle.get_label()) for handle in handles], loc=loc, ncols=columns,
        frameon=False, handlelength=3, title_fontsize=8,
        title=textwrap.fill(title, int(LETTERS * figure.get_figwidth())),
    )  # fmt: skip


def colour_bar(figure: Figure, axes: Sequence[Axes], labels: Sequence[str], title: str) -> None:
    """Draw a bar with a field for each arm, from above, of which at most TICKS are named."""
    count = len(labels)
    colours = ScalarMappable(
        BoundaryNorm(np.arange(count + 1) - 0.5, count), ListedColormap(palette(count))
    )
    named = np.linspace(0, count - 1, min(count, TICKS)).round().astype(int)
    bar = figure.colorbar(colours, ax=list(axes), aspect=40, pad=0.02)
    bar.set_ticks(named.tolist(), labels=[labels[at] for at in named])
    bar.ax.minorticks_off()
    bar.ax.tick_params(length=0)
    bar.ax.invert_yaxis()
    bar.outline.set_visible(False)
    bar.set_label(textwrap.fill(title, int(LETTERS * figure.get_figheight())))
