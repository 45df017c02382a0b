"""Everything on disk: run logs, manifest, leases, checkpoints, snapshots, trajectories."""
