"""The quick composition of a sweep against Hydra's own, cell by cell."""

from pathlib import Path

import pytest
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.plugins import Plugins
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import OmegaConf

from grokpipe.config.composing import JobError, applying, composed
from tests.helpers.cli import SERIAL, grokpipe

SWEEPS = {
    "lists": ("weight_decay=0.3,0.1", "seed=0,1"),
    "range and choice": (
        "seed=range(3)", "lr=choice(1e-3,1e-2)", "optimizer.betas=[0.9,0.98],[0.9,0.99]",
    ),
    "groups": ("task=mod_add,s5,mnist", "seed=1,2"),
    "glob": ("task=glob(mod_*)", "weight_decay=0.5"),
    "dictionaries, added and removed keys": (
        "stop={event:t_grok,sustained:5,margin:0},{event:t_mem,sustained:1,margin:5}",
        "+hydra.job.env_set.X=1", "seed=3",
    ),
    "text and interpolations": ("name=a,'b c',x_${seed}", "seed=range(2)", "threads=1,null"),
    "an experiment": ("experiment=demo", "seed=0,1", "weight_decay=0.1"),
}  # fmt: skip


def jobs_of(loader, arguments: tuple[str, ...]) -> list[list[str]]:
    from hydra.core.override_parser.overrides_parser import OverridesParser

    parser = OverridesParser.create(config_loader=loader)
    (jobs,) = BasicSweeper.split_arguments(parser.parse_overrides(list(arguments)), None)
    return jobs


@pytest.mark.parametrize("name", SWEEPS)
def test_every_cell_is_what_hydra_composes(loader, name: str) -> None:
    jobs = jobs_of(loader, SWEEPS[name])
    assert len(jobs) > 1
    master = loader.load_configuration("config", [], RunMode.MULTIRUN)
    for (config, hydra), overrides in zip(composed(loader, master, jobs), jobs):
        whole = loader.load_sweep_config(master, overrides)
        assert hydra.runtime.choices == whole.hydra.runtime.choices
        expected = OmegaConf.to_container(
            OmegaConf.masked_copy(whole, [k for k in whole if k != "hydra"]), resolve=True
        )
        assert config == expected


@pytest.mark.parametrize("wrong", ["weight_decy=0.1,0.2", "seed=a,b", "arch.widht=3,4"])
def test_what_is_wrong_raises_as_hydra_does(loader, wrong: str) -> None:
    jobs = jobs_of(loader, (wrong,))
    master = loader.load_configuration("config", [], RunMode.MULTIRUN)
    with pytest.raises(HydraException) as theirs:
        loader.load_sweep_config(master, jobs[0])
    with pytest.raises(JobError) as ours:
        composed(loader, master, jobs)
    assert ours.value.position == 0
    assert str(ours.value.__cause__) == str(theirs.value)


def applied(loader, *arguments: str) -> list[str]:
    master = loader.load_configuration("config", [], RunMode.MULTIRUN)
    return [" ".join(texts) for texts in applying(loader, master, jobs_of(loader, arguments))]


def test_a_key_of_a_swept_group_applies_to_the_members_that_have_it(loader) -> None:
    alpha = "intervention.alpha=0.3"
    assert applied(loader, "intervention=none,mixing,noise", alpha, "seed=1,2") == [
        "intervention=none seed=1", "intervention=none seed=2",
        f"intervention=mixing {alpha} seed=1", f"intervention=mixing {alpha} seed=2",
        f"intervention=noise {alpha} seed=1", f"intervention=noise {alpha} seed=2",
    ]  # fmt: skip
    assert applied(loader, "intervention=mixing,norm_match", "intervention.baseline_seeds=[0,1]",
                   alpha) == [
        f"intervention=mixing {alpha}",
        "intervention=norm_match intervention.baseline_seeds=[0,1]",
    ]  # fmt: skip
    # a value that is null is there too
    from_step = "intervention.from_step=3"
    assert applied(loader, "intervention=none,norm_freeze", from_step) == [
        "intervention=none", f"intervention=norm_freeze {from_step}",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "arguments",
    [
        ("intervention=none,mixing", "intervention.beta=0.3"),
        ("intervention=none", "intervention.alpha=0.3", "seed=1,2"),
        ("task=mod_add,s5", "arch.wdith=8"),
    ],
)
def test_a_key_that_no_chosen_member_has_is_still_refused(loader, arguments) -> None:
    jobs = jobs_of(loader, arguments)
    assert applied(loader, *arguments) == [" ".join(job) for job in jobs]
    master = loader.load_configuration("config", [], RunMode.MULTIRUN)
    with pytest.raises(JobError) as refused:
        composed(loader, master, jobs)
    assert "Could not override" in str(refused.value.__cause__)


def test_the_grid_sweeper_is_the_basic_one_but_for_its_check_and_file(tmp_path: Path) -> None:
    """The same cells in the same order, by the plan that a dry run of each would follow."""
    from hydra_plugins.grokpipe_sweeper.grid import GridSweeper

    Plugins.instance()
    changed = {name for name in vars(GridSweeper) if not name.startswith("_")}
    assert changed == {"sweep"}
    tiny = ("train_size=64", "batch_size=16", "arch.width=12", "steps=2", SERIAL)
    said = {}
    for sweeper in ("grid", "basic"):
        ran = grokpipe(
            "-m", *tiny, f"hydra/sweeper={sweeper}", f"name={sweeper}", "seed=range(2)",
            "weight_decay=choice(0.1,0.3)", cwd=tmp_path,
        )  # fmt: skip
        assert ran.returncode == 0, ran.stderr
        said[sweeper] = ran.stdout.replace(sweeper, "")
    assert said["grid"] == said["basic"]
