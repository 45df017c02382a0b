"""When the launcher gives a pack up."""

import json
from pathlib import Path

from grokpipe.launch import pack_plan
from grokpipe.launch.supervisor import TRIES, Tries
from grokpipe.store import lease


def test_a_pack_whose_processes_get_nowhere_is_given_up_but_not_one_whose_deaths_count(
    cell, tmp_path: Path
) -> None:
    (tmp_path / "packs").mkdir()
    plans = [pack_plan.new_plan(tmp_path, [cell(f"seed={seed}")], 1) for seed in range(2)]
    dies, never_begins = plans
    tries = Tries()

    def started(deaths: int) -> None:
        holder = {**lease.this_process(), "mark": 0, "deaths": deaths}
        dies.lease.write_text(json.dumps(holder))
        tries.count(plans)

    for _ in range(TRIES - 1):
        tries.count(plans)
    assert not tries.exhausted(dies) and not tries.exhausted(never_begins)
    started(deaths=1)  # the worker halves it, or fails it, when there are two
    assert not tries.exhausted(dies)
    assert tries.exhausted(never_begins)
    never_begins.checkpoint.touch()
    assert not tries.exhausted(never_begins)
    for _ in range(TRIES - 1):
        started(deaths=1)
    assert tries.exhausted(dies)
