"""What interventions that follow a baseline's trajectory ask of a configuration."""

from grokpipe.config.schema import Config
from grokpipe.errors import InputError
from grokpipe.store.trajectories import NORM, SCALE


def check(config: Config) -> None:
    """Of an intervention that follows a trajectory. Raises InputError."""
    for measure, column in (("weights", NORM), ("logits", SCALE)):
        if measure not in config.measures.names:
            raise InputError(
                f"measures.names={config.measures.names}: intervention={config.intervention.name} "
                f"follows the baseline's {column}; add {measure}"
            )
    if not config.intervention.baseline_seeds:
        raise InputError("intervention.baseline_seeds=[]: must name one seed at least")
