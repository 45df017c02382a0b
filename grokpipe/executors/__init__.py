"""Executors: train packs in this process, in processes of this machine, or as SLURM jobs."""
