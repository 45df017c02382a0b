"""Monitor of delayed generalisation for any PyTorch training loop."""

from grokpipe.monitor.monitor import Prediction, SpectralEntropyMonitor, State
from grokpipe.monitor.pilots import Calibration

__all__ = ["Calibration", "Prediction", "SpectralEntropyMonitor", "State"]
