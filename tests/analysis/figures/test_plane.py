"""A path through a plane: medians, where it starts, where the training set is fitted, its end."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from analysis.figures import plane


def test_the_path_is_that_of_the_medians() -> None:
    steps = [0, 10, 20, 30, 40]
    curves = pd.concat(
        pd.DataFrame(
            {"key": key, "step": steps, "x": [1.0, np.nan, 3, 2, 1], "y": [0, 1, 2.0, 3, np.nan],
             "train_accuracy": [0.1, 0.2, 0.5, 1, 1]}
        ).assign(x=lambda one, by=by: one["x"] + by, y=lambda one, by=by: one["y"] * by)
        for key, by in (("a", 0), ("b", 1), ("c", 9))
    )  # fmt: skip
    axis = plt.figure().subplots()
    assert plane.path(axis, curves, "x", "y", "red")
    path, _, start, end, fitted = (line.get_xydata().tolist() for line in axis.get_lines())
    assert path == [[2, 0], [4, 2], [3, 3]]  # of run b, where both are known
    assert (start, end, fitted) == ([[2, 0]], [[3, 3]], [[3, 3]])
    assert not plane.path(axis, curves, "x", "z", "red")
    assert not plane.path(axis, curves.assign(y=np.nan), "x", "y", "red")
