"""What a command has written."""

from pathlib import Path


def names(folder: Path) -> set[str]:
    """Names of the files of a folder, but for those that say which runs are behind them."""
    return {path.name for path in folder.iterdir() if ".why." not in path.name}
