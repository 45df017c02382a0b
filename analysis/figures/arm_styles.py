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

from analysis.figures.run_lines import Colour, palette

Dash = Literal["-", "--", "-.", ":"]
Place = Literal["outside upper center", "outside lower center"]

DASHES: tuple[Dash, ...] = ("-", "--", "-.", ":")
MANY = 12
"""arms of numbers above which a colour bar names them"""
TICKS = 10  # arms that a colour bar names, at most
FREE = 24  # letters of a label beside the axes that a figure is wide enough for
LETTERS = 15  # of a title per inch


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


def name_arms(
    figure: Figure, axes: Sequence[Axes], handles: Sequence[Artist], title: str, numeric: bool
) -> None:
    """Name the arms by the labels of their `handles`, in the styles of `styles`: in a legend above
    or, if they are numeric and more than MANY, by a colour bar beside the axes."""
    if numeric and len(handles) > MANY:
        colour_bar(figure, axes, [str(handle.get_label()) for handle in handles], title)
    else:
        legend(figure, handles, "outside upper center", title)


def legend(figure: Figure, handles: Sequence[Artist], loc: Place, title: str = "") -> None:
    """Draw a legend of the labelled `handles` outside the axes, in rows that fit into the figure's
    width, and make the figure higher by all rows but the first."""
    labels = [str(handle.get_label()) for handle in handles]
    width, first = figure.bbox.width, 0.0
    for columns in range(len(handles), 0, -1):
        found = figure.legend(
            handles, labels, loc=loc, ncols=columns, frameon=False, handlelength=3,
            title=textwrap.fill(title, int(LETTERS * figure.get_figwidth())), title_fontsize=8,
        )  # fmt: skip
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
