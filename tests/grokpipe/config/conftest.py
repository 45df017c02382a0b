"""Hydra, ready to read conf/."""

from collections.abc import Iterator

import pytest
from hydra import initialize_config_dir
from hydra.core.config_loader import ConfigLoader
from hydra.core.global_hydra import GlobalHydra

from grokpipe.config.schema import register
from tests.helpers.cells import CONF


@pytest.fixture
def loader() -> Iterator[ConfigLoader]:
    register()
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        yield GlobalHydra.instance().config_loader()
