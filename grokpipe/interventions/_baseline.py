"""The check of configurations whose intervention follows a baseline's trajectory."""

from grokpipe.config.schema import Config
from grokpipe.errors import InputError
from grokpipe.store.trajectories import NORM, SCALE


def check(config: Config) -> None:
    """Check that the columns of a trajectory are measured and that it has seeds.

    Raises InputError.
    """
    for measure, column in (("weights", NORM), ("logits", SCALE)):
        if measure not in config.measures.names:
            raise InputError(
                f"measures.names={config.measures.names}: intervention={config.intervention.name} "
                f"follows the baseline's {column}; add {measure}"
            )
    if not config.intervention.baseline_seeds:
        raise InputError("intervention.baseline_seeds=[]: must name at least one seed")
