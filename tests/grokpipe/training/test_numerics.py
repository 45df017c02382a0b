"""The switch to faster products on the CPU is kept only where they are fp32's."""

import torch

from grokpipe.training import numerics


def test_products_have_the_error_of_fp32() -> None:
    numerics.choose_products(tf32=False)
    assert numerics.product_error() < numerics.WORST
    assert not torch.backends.cuda.matmul.allow_tf32


def test_products_of_bf16_would_be_seen(monkeypatch) -> None:
    product = torch.Tensor.__matmul__

    def rounded(a, b):
        if a.dtype == torch.float32:
            return product(a.bfloat16().float(), b.bfloat16().float())
        return product(a, b)

    monkeypatch.setattr(torch.Tensor, "__matmul__", rounded)
    assert numerics.product_error() > 100 * numerics.WORST
