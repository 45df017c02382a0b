"""What is wrong with a figure as a picture."""

import matplotlib.pyplot as plt
from matplotlib.figure import Figure


def clipped(figure: Figure) -> list[str]:
    """Texts that are drawn beyond the edges of the figure."""
    figure.canvas.draw()
    width, height = figure.canvas.get_width_height()
    texts = [text for axis in figure.axes for text in axis.findobj(plt.Text)]
    texts += [text for legend in figure.legends for text in legend.get_texts()]
    boxes = [
        (t.get_text(), t.get_window_extent()) for t in texts if t.get_text() and t.get_visible()
    ]
    return [
        text
        for text, box in boxes
        if box.x0 < -1 or box.y0 < -1 or box.x1 > width + 1 or box.y1 > height + 1
    ]
