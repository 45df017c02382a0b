"""The switch to faster products on the CPU is kept only where they are fp32's."""

import torch

from grokpipe import matmul


def test_products_have_the_error_of_fp32() -> None:
    matmul.set_up(tf32=False)
    assert matmul.product_error() < matmul.WORST
    assert not torch.backends.cuda.matmul.allow_tf32


def test_products_of_bf16_would_be_seen(monkeypatch) -> None:
    product = torch.Tensor.__matmul__

    def rounded(a, b):
        if a.dtype == torch.float32:
            return product(a.bfloat16().float(), b.bfloat16().float())
        return product(a, b)

    monkeypatch.setattr(torch.Tensor, "__matmul__", rounded)
    assert matmul.product_error() > 100 * matmul.WORST
