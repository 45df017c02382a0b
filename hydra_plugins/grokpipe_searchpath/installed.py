"""Add the folders of configurations of installed packages to Hydra's search path."""

from hydra.core.config_search_path import ConfigSearchPath
from hydra.plugins.search_path_plugin import SearchPathPlugin

from grokpipe import plugins


class InstalledConfigurations(SearchPathPlugin):
    """Appends what entry points of the group `grokpipe.conf` name, after our own folder."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        for entry, folder in plugins.conf_folders():
            search_path.append(plugins.distribution(entry), f"file://{folder}")
