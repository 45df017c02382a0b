"""What a user can set of each launcher, `hydra.launcher.…`. Needs no PyTorch."""

from dataclasses import dataclass, field


@dataclass
class SerialSettings:
    dry_run: bool = False
    """tell what would run, and in how many packs and jobs; submit nothing"""


@dataclass
class LocalSettings:
    dry_run: bool = False
    """tell what would run, and in how many packs and jobs; submit nothing"""
    wait: bool = True
    """false: return when the processes have been started"""
    packs_per_gpu: int = 1
    """packs that share a GPU"""


@dataclass
class SlurmSettings:
    dry_run: bool = False
    """tell what would run, and in how many packs and jobs; submit nothing"""
    wait: bool = True
    """false: return when the jobs have been submitted"""
    partition: str | None = None
    """null: the cluster's default"""
    time_min: int = 240
    """minutes that a job may take; one that needs more is requeued and goes on"""
    gpus: int = 0
    """of a job"""
    cpus: int = 1
    """of a job: the threads of its packs"""
    memory_gb: float | None = None
    """of a job; null: the cluster's default"""
    array_parallelism: int = 256
    """jobs of the array that run at once, at most"""
    packs_per_job: int = 1
    """trained one after another"""
    setup: list[str] = field(default_factory=list)
    """shell lines before the job's command, such as module load"""
    sbatch: list[str] = field(default_factory=list)
    """any further options of sbatch: ["account=…", "exclusive"]"""
