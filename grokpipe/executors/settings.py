"""Settings of the launchers, `hydra.launcher.…`. Needs no PyTorch."""

from dataclasses import dataclass, field


@dataclass
class SerialSettings:
    """Settings of `hydra/launcher=serial`."""

    dry_run: bool = False
    """tell what would run, and in how many packs and jobs; submit nothing"""


@dataclass
class LocalSettings:
    """Settings of `hydra/launcher=local`."""

    dry_run: bool = False
    """tell what would run, and in how many packs and jobs; submit nothing"""
    wait: bool = True
    """false: return when the processes have been started"""
    packs_per_gpu: int = 1
    """packs that share a GPU"""


@dataclass
class SlurmSettings:
    """Settings of `hydra/launcher=slurm`."""

    dry_run: bool = False
    """tell what would run, and in how many packs and jobs; submit nothing"""
    wait: bool = True
    """false: return when the jobs have been submitted"""
    partition: str | None = None
    """null: the cluster's default"""
    time_min: int = 240
    """time limit of a job in minutes; a job that needs longer is requeued and resumes"""
    gpus: int = 0
    """GPUs per job"""
    cpus: int = 1
    """CPUs per job: the threads of its packs"""
    memory_gb: float | None = None
    """memory per job in GB; null: the cluster's default"""
    array_parallelism: int = 256
    """largest number of the array's jobs that run at once"""
    packs_per_job: int = 1
    """packs per job, trained one after another"""
    setup: list[str] = field(default_factory=list)
    """shell lines to run before the job's command, such as module load"""
    sbatch: list[str] = field(default_factory=list)
    """further options of sbatch: ["account=…", "exclusive"]"""
