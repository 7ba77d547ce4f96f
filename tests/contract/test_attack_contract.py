"""What every registered attacker setting keeps."""

from dataclasses import asdict, replace

import pytest

from bench.attacks.base import Attack
from bench.attacks.registry import attacks
from bench.targets.base import Recipe
from bench.targets.recipes import RecipeEntry

every_attack = pytest.mark.parametrize("name", attacks.names())


@every_attack
def test_adapting_gives_a_recipe_and_twice_is_once(name: str, recipe: Recipe) -> None:
    attack = attacks.get(name)()
    adapted = attack.adapt(recipe)
    assert isinstance(adapted, Recipe)
    assert attack.adapt(adapted) == adapted == attacks.get(name)().adapt(recipe)


@every_attack
@pytest.mark.parametrize("changes", [{}, {"method": "full"}, {"tower_lora_rank": 4}])
def test_what_it_makes_of_a_recipe_is_one_that_a_suite_could_state(
    name: str, recipe: Recipe, changes: dict[str, int | str]
) -> None:
    given = replace(recipe, source="Somebody's numbers.", **changes)  # type: ignore[arg-type]
    adapted = attacks.get(name)().adapt(given)
    stated = {field: value for field, value in asdict(adapted).items() if field in RecipeEntry.model_fields}
    assert RecipeEntry.model_validate(stated).recipe() == replace(adapted, augmentation=None)
    assert adapted.source == given.source, "the record would no longer tell where the recipe comes from"
    assert adapted.tower_lora_rank >= given.tower_lora_rank


@every_attack
def test_it_is_described_and_says_where_it_comes_from(name: str) -> None:
    kind = attacks.get(name)
    assert issubclass(kind, Attack)
    assert kind.__doc__ and kind.__doc__.strip() != (Attack.__doc__ or "").strip()
    assert attacks.origin(name)


def test_no_two_attacks_train_alike_on_the_same_photos(recipe: Recipe) -> None:
    made = [attacks.get(name)() for name in attacks.names()]
    ways = [(attack.adapt(recipe), attack.synthesis()) for attack in made]
    assert all(first != second for index, first in enumerate(ways) for second in ways[index + 1 :])
