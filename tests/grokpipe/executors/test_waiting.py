"""Helper threads wait asleep, unless the user says otherwise."""

import os

import pytest

from grokpipe import __main__ as command
from grokpipe.executors.job import Job
from grokpipe.executors.waiting import ASLEEP, CHOSEN_BY, wait_asleep


@pytest.fixture
def unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in CHOSEN_BY:
        monkeypatch.setenv(name, "")  # so that it is restored afterwards
        monkeypatch.delenv(name)


@pytest.mark.parametrize("name", CHOSEN_BY)
def test_a_choice_of_the_user_is_kept(name) -> None:
    chosen = {name: "7", "PATH": "/bin"}
    wait_asleep(chosen)
    assert chosen == {name: "7", "PATH": "/bin"}


def test_the_command_sets_it(unset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "_run", lambda arguments: 0)
    assert command.main() == 0
    assert {name: os.environ[name] for name in ASLEEP} == ASLEEP
    assert {"GOMP_SPINCOUNT", "KMP_BLOCKTIME"}.isdisjoint(os.environ)


def test_a_job_of_slurm_sets_it(unset) -> None:
    Job([])()
    assert {name: os.environ[name] for name in ASLEEP} == ASLEEP
