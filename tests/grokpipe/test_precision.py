"""Types by name, and inputs in them."""

import torch

from grokpipe.precision import dtype_of, in_precision


def test_types_by_name() -> None:
    assert (dtype_of("float32"), dtype_of("float64")) == (torch.float32, torch.float64)


def test_images_are_converted_once_and_tokens_stay() -> None:
    images, tokens = torch.rand(3, 4), torch.arange(6)
    doubled = in_precision(images, torch.float64)
    assert torch.equal(doubled, images.double())
    assert doubled.dtype == torch.float64
    assert in_precision(images, torch.float64) is doubled  # one table for all cells
    assert in_precision(images, torch.float32) is images
    assert in_precision(tokens, torch.float64) is tokens


def test_cells_of_a_pack_share_the_converted_table(cell) -> None:
    tables = [cell(f"seed={seed}", "dtype=float64").task.inputs for seed in (0, 1)]
    assert tables[0] is tables[1]
