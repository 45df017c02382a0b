"""The job that queued pickles name."""

import pickle
from pathlib import Path

from grokpipe.executors.job import Job


def test_a_pickle_of_an_earlier_release_loads() -> None:
    """Its lease was called `registry` then."""
    job = Job.__new__(Job)
    files, lease = [Path("packs/a.json")], Path("workers/b.claim")
    job.__setstate__({"files": files, "slurm": False, "registry": lease, "gpu": "1"})
    assert job == Job(files, lease=lease, gpu="1")
    assert pickle.loads(pickle.dumps(job)) == job
