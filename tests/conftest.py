"""What several folders of tests share."""

import sys
from pathlib import Path

import pytest

# Tests are imported without their folder on the path. Modules that they share stand here, and are imported by name,
# also by the workers that tests start.
sys.path.insert(0, str(Path(__file__).parent))

from miniature_world import write_checkpoint


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a LLaVA with random weights."""
    folder = tmp_path_factory.mktemp("checkpoint")
    write_checkpoint(folder)
    return folder
