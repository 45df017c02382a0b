"""A monitor of delayed generalisation for other people's training loops."""

from grokpipe.monitor.monitor import Prediction, SpectralEntropyMonitor, State
from grokpipe.monitor.pilots import Calibration

__all__ = ["Calibration", "Prediction", "SpectralEntropyMonitor", "State"]
