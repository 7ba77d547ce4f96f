"""What every registered photo source keeps."""

from pathlib import Path

import pytest

from bench.core.errors import UsageError
from generators.base import BuildOrder
from generators.registry import generator_for, generators, make_generator

every_generator = pytest.mark.parametrize("name", generators.names())


@every_generator
def test_it_says_what_its_photos_are_and_what_it_builds(name: str) -> None:
    generator = make_generator(name)
    assert generator.source in ("rendered", "real", "synthesized")
    assert len(set(generator.names())) == len(generator.names())
    assert all(generator.claims(known) for known in generator.names())


@every_generator
def test_it_is_described_and_says_where_it_comes_from(name: str) -> None:
    assert (generators.get(name).__doc__ or "").strip()
    assert generators.origin(name)


@every_generator
def test_an_unknown_dataset_is_refused_before_any_work(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no-such-dataset"):
        make_generator(name).build(BuildOrder("no-such-dataset", tmp_path / "work", limit=1))
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@every_generator
def test_an_unknown_option_is_refused_with_the_known_ones(name: str) -> None:
    with pytest.raises(UsageError, match=f"option of the generator '{name}'"):
        make_generator(name, {"no_such_option": 1})


@pytest.mark.parametrize(
    ("kind", "name", "folder"),
    [
        ("render", "full", "full"),
        ("folder", "photos/volunteers", "volunteers-dataset"),
        ("hub", "somebody/faces@1f2e3d4", "faces"),
        ("diffusion", "build/mini", "mini-synthesized"),
    ],
)
def test_tables_go_below_the_current_folder_and_never_onto_what_they_are_made_of(
    kind: str, name: str, folder: str
) -> None:
    assert make_generator(kind).default_folder(name) == Path(folder)


def test_no_two_sources_claim_a_name() -> None:
    claimed = [known for name in generators.names() for known in make_generator(name).names()]
    for known in claimed:
        assert [name for name in generators.names() if make_generator(name).claims(known)] == [
            next(name for name in generators.names() if known in make_generator(name).names())
        ]


def test_a_name_that_nobody_claims_tells_what_can_be_built() -> None:
    with pytest.raises(UsageError, match=r"veilbench-mini.*metadata\.csv.*owner/name@revision"):
        generator_for("veilbench-minni")
