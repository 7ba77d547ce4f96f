"""What every registered photo source keeps."""

import pytest

from bench.core.errors import UsageError
from bench.core.progress import quiet
from generators.registry import generators

every_generator = pytest.mark.parametrize("name", generators.names())


@every_generator
def test_it_says_what_its_photos_are_and_what_it_builds(name: str) -> None:
    generator = generators.get(name)()
    assert generator.source in ("rendered", "real", "synthesized")
    assert len(set(generator.names())) == len(generator.names())


@every_generator
def test_an_unknown_dataset_is_refused_before_any_work(name: str) -> None:
    with pytest.raises(UsageError, match="no-such-dataset"):
        generators.get(name)().build("no-such-dataset", 1, 1, quiet())
