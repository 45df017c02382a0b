"""The key of a cell, by its definition."""

import hashlib

from grokpipe.config import keys


def test_a_key_is_sixteen_digits_of_sha_256_over_sorted_values() -> None:
    values = {"seed": 3, "optimizer": {"name": "adamw", "betas": [0.9, 0.999]}, "lr": None}
    text = (
        '{"config":{"lr":null,"optimizer":{"betas":[0.9,0.999],"name":"adamw"},"seed":3},'
        '"data":"f00d","schema":1}'
    )
    expected = hashlib.sha256(text.encode()).hexdigest()[:16]
    assert keys.key_of(values, "f00d") == expected
    assert keys.key_of(dict(reversed(values.items())), "f00d") == expected


def test_values_types_and_data_are_told_apart() -> None:
    several = [{"x": 1}, {"x": 1.0}, {"x": True}, {"x": "1"}, {"x": None}, {}, {"y": 1}]
    found = {keys.key_of(values, data) for values in several for data in ("a", "b")}
    assert len(found) == 2 * len(several)
