"""The variant that E1 to E9 run is the one that E0's stored runs put nearest."""

from analysis.papers.entropy.estimates import setting_calibration as calibration
from analysis.runs.tables import read_gathered
from tests.helpers.cli import ROOT


def test_the_main_variant_is_the_nearest_admissible_one(compose) -> None:
    tables = read_gathered(ROOT / "outputs" / "reference" / "entropy" / "e0_fingerprint")
    nearest = calibration.variants(tables, calibration.rule()).iloc[0]
    assert nearest["admissible"]
    config = compose("experiment=entropy/e1_baseline")
    assert [config.arch.norm, config.arch.tokens, config.arch.embedding] == [
        nearest["arch.norm"], nearest["arch.tokens"], nearest["arch.embedding"],
    ]  # fmt: skip
    assert str(list(config.optimizer.betas)) == nearest["optimizer.betas"]
    # E0's seeds are its own
    assert set(tables.cells["seed"]) == set(range(100, 104))
