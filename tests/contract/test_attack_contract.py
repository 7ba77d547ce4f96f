"""What every registered attacker setting keeps."""

import pytest

from bench.targets.base import Recipe
from evaluators.attacks import AttackSetting, attacks

every_attack = pytest.mark.parametrize("name", attacks.names())


@every_attack
def test_adapting_gives_a_recipe_and_twice_is_once(name: str, recipe: Recipe) -> None:
    attack = attacks.get(name)()
    adapted = attack.adapt(recipe)
    assert isinstance(adapted, Recipe)
    assert attack.adapt(adapted) == adapted == attacks.get(name)().adapt(recipe)


@every_attack
def test_it_is_described_and_says_where_it_comes_from(name: str) -> None:
    kind = attacks.get(name)
    assert issubclass(kind, AttackSetting)
    assert kind.__doc__ and kind.__doc__.strip() != (AttackSetting.__doc__ or "").strip()
    assert attacks.origin(name)


def test_no_two_attacks_train_alike_on_the_same_photos(recipe: Recipe) -> None:
    made = [attacks.get(name)() for name in attacks.names()]
    ways = [(attack.adapt(recipe), attack.synthesis()) for attack in made]
    assert all(first != second for index, first in enumerate(ways) for second in ways[index + 1 :])
