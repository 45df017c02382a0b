"""The job that queued pickles name."""

import pickle
from pathlib import Path

import pytest

from grokpipe.executors.job import Job


def test_a_pickle_of_an_earlier_release_loads() -> None:
    """Its lease was called `registry` then."""
    job = Job.__new__(Job)
    files, lease = [Path("packs/a.json")], Path("workers/b.claim")
    job.__setstate__({"files": files, "slurm": False, "registry": lease, "gpu": "1"})
    assert job == Job(files, lease=lease, gpu="1")
    assert pickle.loads(pickle.dumps(job)) == job


@pytest.mark.parametrize("content", [None, "a file of somebody's"])
def test_the_folder_that_submitit_makes_by_its_pattern_goes(tmp_path: Path, content) -> None:
    literal = tmp_path / "jobs" / "%j"
    literal.mkdir(parents=True)
    (tmp_path / "workers").mkdir()
    if content:
        (literal / "x").write_text(content)
    Job([], lease=tmp_path / "workers/a.claim")()
    assert literal.exists() == (content is not None) and (tmp_path / "jobs").is_dir()
