"""Keys: what changes a cell's identity and what does not; every choice composes and steps."""

import dataclasses
import re
import shutil
from pathlib import Path

import pytest
from hydra import compose as hydra_compose
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra

from grokpipe.cell import Cell
from grokpipe.config import registry
from grokpipe.config.fields import flatten, scientific, scientific_values
from grokpipe.config.resolving import resolve
from grokpipe.config.schema import GROUPS, Config, operational_names
from grokpipe.curves.definitions import TASKS
from grokpipe.errors import InputError
from grokpipe.launch import baselines
from grokpipe.measures import _columns
from grokpipe.measures.weights import depth
from grokpipe.training.evaluate import Evaluator
from grokpipe.training.pack import Pack, initial_network
from tests.helpers.cells import CONF, SMALL, SMALL_RESNET


@pytest.mark.parametrize(
    "override",
    [
        "seed=1",
        "weight_decay=0.2",
        "weight_decay=0",
        "lr=3e-4",
        "lr=5e-5",
        "steps=21",
        "batch_size=17",
        "init_scale=7.5",
        "train_size=65",
        "loss=cross_entropy",
        "loss=stablemax",
        "dtype=float64",
        "optimizer=sgd",
        "optimizer.betas=[0.9,0.98]",
        "arch.width=13",
        "eval={schedule: regular, every: 5}",
        "measures.names=[weights]",
        "batches=replacement",
        "stop={event: tau1, sustained: 1, margin: 0}",
        "tf32=true",
        "arch.feature_width=11",
        "measures.sparse=[information]",
    ],
)
def test_scientific_keys_change_the_key(cell, override) -> None:
    assert cell(override).key != cell().key


@pytest.mark.parametrize(
    "override",
    [
        "name=other",
        "outputs=elsewhere",
        "threads=1",
        "progress=false",
        "checkpoint.every=1",
        "save.final=false",
        "device=cpu",
        "compile=off",
        "pack.width=7",
        "weight_decay=0.10",
        "lr=0.001",
        "dtype=float32",
    ],
)
def test_operational_keys_and_spellings_do_not(cell, override) -> None:
    assert cell(override).key == cell().key


SPELLINGS = (
    "test_accuracy>=0.9",
    "test_accuracy >= 0.90",
    " test_accuracy>=9e-1",
    "test_accuracy>=.9",
)


def test_a_condition_enters_the_key_in_one_spelling(cell, token_cell) -> None:
    rule = "stop={{event: '{}', sustained: 1, margin: 0}}".format
    keys = {cell(rule(text)).key for text in SPELLINGS}
    assert len(keys) == 1
    others = ("test_accuracy>0.9", "test_accuracy>=0.91", "sustained(test_accuracy>=0.9, 2)")
    assert len(keys | {cell(rule(text)).key for text in others}) == 4
    # a name is no spelling of a condition, nor the other way round
    assert cell(rule("train_accuracy>=1")).key != cell(rule("tau1")).key
    freeze = ("intervention=norm_freeze", "intervention.from_event='{}'")
    frozen = {token_cell(freeze[0], freeze[1].format(text)).key for text in SPELLINGS}
    assert len(frozen) == 1


def test_the_keys_of_named_events_are_stable(cell, token_cell) -> None:
    """As `test_keys_are_stable`, of cells whose configuration names an event."""
    assert cell("stop={event: t_grok, sustained: 5, margin: 10}").key == "d5a48326329e1793"
    assert token_cell("intervention=norm_freeze").key == "d33b479cebe4d871"


@pytest.mark.parametrize(
    ("overrides", "parts"),
    [
        (["stop={event: 'sharpness>=1', sustained: 1, margin: 0}"],
         ["stop.event=sharpness>=1: no column sharpness; valid: train_accuracy, test_accuracy"]),
        (["stop={event: 'fourier/alignment>=1', sustained: 1, margin: 0}"],
         ["needs fourier among measures.names"]),
        (["stop={event: 'weight_norm<=9', sustained: 1, margin: 0}", "measures.names=[logits]"],
         ["stop.event=weight_norm<=9: needs weights among measures.names"]),
        (["stop={event: t_collapse, sustained: 1, margin: 0}", "measures.names=[logits]"],
         ["stop.event=t_collapse: needs spectral among measures.names"]),
        (["stop={event: 'step>=9', sustained: 1, margin: 0}"], ["no column step"]),
        (["stop={event: tau2_half, sustained: 1, margin: 0}"],
         ["stop.event=tau2_half: training cannot know the final value", "tau1, tau2_rise, t_mem"]),
        (["stop={event: 'test_accuracy>=', sustained: 1, margin: 0}"],
         ["stop.event=test_accuracy>=: not a condition; valid: column>=number"]),
        (["intervention=norm_freeze", "intervention.from_event=t_cross"],
         ["intervention.from_event=t_cross: training cannot know a level learned from other runs"]),
        (["intervention=norm_freeze", "intervention.from_event=tau2_rise"],
         ["intervention.from_event=tau2_rise: its level depends on the number of classes"]),
        (["stop={event: 'balance/3<=0.1', sustained: 1, margin: 0}", "arch.depth=2"],
         ["stop.event=balance/3<=0.1: no column balance/3; valid: train_accuracy, "]),
        (["intervention=norm_freeze", "intervention.from_event='flat>=1'"],
         ["intervention.from_event=flat>=1: no column flat"]),
    ],
)  # fmt: skip
def test_an_event_that_training_cannot_wait_for_is_refused(cell, overrides, parts) -> None:
    with pytest.raises(InputError) as refused:
        cell(*overrides)
    assert "\n" not in str(refused.value)
    for part in parts:
        assert part in str(refused.value)


def test_the_columns_that_are_known_beforehand_are_those_that_are_logged(
    cell, token_cell, compose
) -> None:
    every = f"measures.names={registry.names('measures')}".replace("'", "").replace(" ", "")
    small = ["task.p=5", "arch.width=8", "arch.heads=2", "arch.feedforward=12", "batch_size=8"]
    equations = Cell.of(compose("task=equations", *small))
    for one in (cell(), token_cell(every), equations):
        row = Evaluator.of(one.config, one.task).row(Pack([one]).outputs(0))
        own = one.classes, one.positions, depth(dict(initial_network(one).named_parameters()))
        assert _columns.columns(one.config.measures.names, *own) == list(row)
        for column in list(row)[len(_columns.ALWAYS) :]:
            assert _columns.measuring(column, *own) in one.config.measures.names
    assert _columns.measuring("sharpness", 10) is None


def test_a_stop_rule_alone_ends_at_once_under_one_key(cell) -> None:
    alone = cell("stop.event=tau1")
    assert (alone.config.stop.sustained, alone.config.stop.margin) == (1, 0)
    assert alone.key == cell("stop={event: tau1, sustained: 1, margin: 0}").key
    assert alone.key != cell("stop={event: tau1, sustained: 2}").key


def test_keys_are_stable(cell) -> None:
    """A changed key orphans every run log on disk. Renew this only with a new SCHEMA_VERSION or
    knowing that the meaning of the default configuration has changed."""
    assert cell().key == "c33e0bf3f4b8011d"


def test_sparse_measures_are_checked_and_spelled_in_one_way(token_cell) -> None:
    names = "measures.names=[weights]"
    spelled = token_cell(names, "measures.sparse=[logits]", "measures.sparse_at=log:64")
    assert token_cell(names, "measures.sparse=[logits]").key == spelled.key
    assert spelled.config.measures.all == ["weights", "logits"]
    assert token_cell(names, "measures.sparse=[]").key == token_cell(names).key
    for overrides, expected in {
        ("measures.sparse=[logits]", "measures.sparse_at=20"): "measures.sparse_at=20: must be ",
        ("measures.sparse=[weights]",): "measures.sparse=['weights']: among measures.names too",
        ("measures.sparse=[weight]",): "measures.sparse=weight: no such choice; valid: collapse, ",
        ("measures.sparse_at=log:20",): "measures.sparse_at=log:20: no measures to take then with ",
        ("measures.sparse=[logits,logits]",): "measures.sparse=['logits', 'logits']: must ",
        ("task=s5", "measures.sparse=[fourier]"): "measures.sparse=fourier: needs labels that form",
        ("measures.sparse=[logits]", "stop={event: 'logits/scale>=1', sustained: 1, margin: 0}"):
        "stop.event=logits/scale>=1: needs logits among measures.names",
    }.items():  # fmt: skip
        with pytest.raises(InputError) as refused:
            token_cell(names, *overrides)
        assert str(refused.value).startswith(expected)


def test_packs_are_of_one_precision_and_loss(cell) -> None:
    alike = {cell(f"seed={seed}", "dtype=float64").shared for seed in (0, 1)}
    others = {
        cell(*o).shared for o in ([], ["loss=stablemax"], ["dtype=float64", "loss=stablemax"])
    }
    assert len(alike) == 1
    assert len(alike | others) == 4


def test_tf32_is_refused_where_it_has_no_effect(cell) -> None:
    with pytest.raises(InputError, match="tf32=true: has no effect with dtype=float64"):
        cell("tf32=true", "dtype=float64")
    with pytest.raises(InputError, match="dtype=float16: must be one of float32, float64"):
        cell("dtype=float16")


def test_an_edited_default_is_another_key(cell, tmp_path: Path) -> None:
    """The resolved value is hashed, not the difference from the defaults."""
    before = cell().key
    conf = tmp_path / "conf"
    shutil.copytree(CONF, conf)
    text = (conf / "config.yaml").read_text()
    (conf / "config.yaml").write_text(text.replace("weight_decay: 0.1", "weight_decay: 0.2"))
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(conf), version_base="1.3"):
        assert Cell.of(resolve(hydra_compose("config", SMALL))).key != before
        unedited = hydra_compose("config", [*SMALL, "weight_decay=0.1"])
        assert Cell.of(resolve(unedited)).key == before


def test_a_budget_of_evaluations_that_is_the_steps_is_no_other_cell(cell) -> None:
    assert cell("steps=300", "eval.budget=300").key == cell("steps=300").key
    assert cell("steps=300", "eval.budget=600").key != cell("steps=300").key
    for wrong, line in (
        ("eval.budget=149", "eval.budget=149: must be ≥ 150"),
        ("eval={schedule: regular, every: 5, budget: 300}", "eval.budget=300: has no effect with"),
    ):
        with pytest.raises(InputError, match=f"^{line}"):
            cell(wrong)


def test_a_neutral_value_stays_out_of_the_key() -> None:
    @dataclasses.dataclass
    class Older:
        seed: int = scientific()

    @dataclasses.dataclass
    class Newer:
        seed: int = scientific()
        warmup: int = scientific(neutral=0)

    assert scientific_values(Newer(3)) == scientific_values(Older(3))
    assert scientific_values(Newer(3, 10)) == {"seed": 3, "warmup": 10}


def test_every_field_of_the_schema_is_marked_and_documented(compose) -> None:
    config = compose()
    assert "weight_decay" in flatten(scientific_values(config))
    assert operational_names() == {
        "name", "outputs", "threads", "progress", "checkpoint.every", "save.final", "device",
        "compile", "pack.width", "log.tensorboard", "snapshots", "force",
    }  # fmt: skip
    source = (CONF.parent / "grokpipe" / "config" / "schema.py").read_text()
    for item in dataclasses.fields(Config):
        line = next(n for n, text in enumerate(source.split("\n")) if f"    {item.name}: " in text)
        assert source.split("\n")[line + 1].strip().startswith('"""'), item.name


CHOICES = [
    (group, file.stem)
    for group in (*GROUPS, "measures")
    for file in sorted((CONF / group).glob("*.yaml"))
]


@pytest.mark.parametrize(("group", "choice"), CHOICES)
def test_every_choice_composes_steps_and_keeps_its_key(
    cell, token_cell, compose, group, choice, request
) -> None:
    if choice in ("fashion_mnist", "cifar10", "resnet18"):
        request.getfixturevalue("cifar10" if choice == "resnet18" else choice)
    pairs = ("transformer", "entropy_main", "cyclic")
    on_tokens = choice in pairs or (group == "task" and TASKS.get(choice) != "images")
    make = (lambda *o: token_cell(*o, "batch_size=16")) if on_tokens else cell
    if choice == "mlp_pairs":
        make = lambda *o: Cell.of(compose("task=mod_add", "task.p=11", *o))  # noqa: E731
    if choice == "causal_transformer":
        tiny = ("arch.width=8", "arch.heads=2", "arch.feedforward=8", "batch_size=16")
        make = lambda *o: Cell.of(compose("task=equations", "task.p=11", *tiny, *o))  # noqa: E731
    if choice == "resnet18":
        make = lambda *o: Cell.of(compose("task=cifar10", *SMALL_RESNET, *o))  # noqa: E731
    if choice in ("cnn", "image_transformer"):
        small = [override for override in SMALL if "depth" not in override]
        small += ["arch.channels=1"] if choice == "cnn" else []
        make = lambda *o: Cell.of(compose(*o, *small))  # noqa: E731
    if choice in ("sentences", "text_transformer"):
        few = ("task=sentences", "train_size=64", "task.test_size=64", "batch_size=16")
        make = lambda *o: Cell.of(compose(*few, *(o if group == "arch" else ())))  # noqa: E731
    one, again = make(f"{group}={choice}"), make(f"{group}={choice}")
    assert one.key == again.key
    if baselines.follows(one.config):  # tests/interventions/test_norms.py trains a baseline
        with pytest.raises(InputError, match=r"intervention\.trajectory=None"):
            Pack([one])
        return
    pack = Pack([one])
    pack.advance(1)
    row = Evaluator.of(one.config, one.task).row(pack.outputs(0))
    assert row["train_loss"] > 0


EXPERIMENTS = sorted((CONF / "experiment").rglob("*.yaml"))


@pytest.mark.parametrize("file", EXPERIMENTS, ids=lambda file: file.stem)
def test_every_experiment_composes(compose, file, request) -> None:
    choice = file.relative_to(CONF / "experiment").with_suffix("")
    small = []
    if "cifar10" in file.read_text():  # its task, or the experiment that it builds on
        request.getfixturevalue("cifar10")
        small = ["train_size=100"]  # all that the made files have
    assert Cell.of(compose(f"experiment={choice}", *small)).config.name == choice.parts[0]


@pytest.mark.parametrize(("group", "package"), GROUPS.items())
def test_every_module_of_a_package_has_a_choice_and_the_other_way_round(group, package) -> None:
    texts = [file.read_text() for file in (CONF / group).glob("*.yaml")]
    named = {found[1] for text in texts if (found := re.search(r"\bname: (\w+)", text))}
    assert registry.names(package) == sorted(named)
