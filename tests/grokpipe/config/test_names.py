"""What packs are called."""

from grokpipe.config.names import counted, pack_name, swept


def config(seed: int, decay: float = 0.1, task: str = "mod_add", **more) -> dict:
    return {
        "task": {"name": task, "p": 97}, "optimizer": {"name": "adamw", "weight_decay": decay},
        "weight_decay": decay, "seed": seed, "outputs": f"somewhere/{seed}", **more,
    }  # fmt: skip


def test_a_pack_is_named_by_its_task_what_is_swept_and_its_seeds() -> None:
    pack = [config(seed, decay) for decay in (0.1, 1.0) for seed in range(5)]
    assert swept(pack) == ["weight_decay"]  # once, though the optimizer repeats it
    assert pack_name(pack) == "mod_add · weight_decay 0.1, 1.0 · seeds 0–4"
    # one value in the pack, of several in the sweep
    assert pack_name(pack[:5], ["weight_decay"]) == "mod_add · weight_decay 0.1 · seeds 0–4"
    assert pack_name(pack[:1]) == "mod_add · seed 0"


def test_of_many_values_the_ends_are_named() -> None:
    pack = [config(0, decay) for decay in (0.3, 0.1, 3e-4, 5e-4, 2.0)]
    assert pack_name(pack) == "mod_add · weight_decay 0.0003 … 2.0 (5 values) · seed 0"
    assert pack_name([config(s) for s in (7, 1, 2, 3, 9)]) == "mod_add · seeds 1–3, 7, 9"


def test_groups_go_by_their_choice() -> None:
    names = ("none", "mixing")
    pack = [config(0, intervention={"name": name}, task=t) for name in names for t in ("s5", "x")]
    assert swept(pack) == ["task.name", "intervention.name"]
    assert pack_name(pack) == "s5, x · intervention none, mixing · seed 0"


def test_numbers_agree_with_their_nouns() -> None:
    words = [counted(1, "cell"), counted(1200, "cell"), counted(2, "process", "processes")]
    assert words == ["1 cell", "1,200 cells", "2 processes"]
