"""Fine-tuning recipes by name: one YAML file each, with every number and where it comes from."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from bench.core.errors import UsageError
from bench.core.models import Strict
from bench.core.registry import unknown_name
from bench.targets.base import Recipe
from scenarios.yaml_files import Text, read_model

SHIPPED = Path(__file__).parent / "recipes"


class RecipeEntry(Strict):
    """How the attacker fine-tunes, before an attacker setting adapts it. Fields as in ``Recipe``."""

    epochs: int = Field(ge=1)
    batch_size: int = Field(ge=1)
    learning_rate: float = Field(gt=0)
    projector_learning_rate: float = Field(ge=0)
    lora_rank: int = Field(ge=1)
    lora_alpha: int = Field(ge=1)
    weight_decay: float = Field(ge=0)
    warmup_steps: int = Field(ge=0)
    final_learning_rate_share: float = Field(ge=0, le=1)
    gradient_clip: float = Field(gt=0)
    questions_per_photo: int = Field(ge=1)
    method: Literal["lora", "full"] = "lora"
    tower_lora_rank: int = Field(default=0, ge=0)
    source: str = ""

    def recipe(self) -> Recipe:
        """The same as the plain dataclass that targets take, without augmentation."""
        return Recipe(**{field: getattr(self, field) for field in RecipeEntry.model_fields})


class NamedRecipe(RecipeEntry):
    """A recipe file: also says what it is, and must say where its numbers come from."""

    title: Text
    source: Text


def shipped_recipes() -> dict[str, Path]:
    """Name -> file of the recipes that come with the package."""
    return {path.stem: path for path in sorted(SHIPPED.glob("*.yaml"))}


def load_recipe(name_or_file: str) -> NamedRecipe:
    """A shipped recipe by name, or a recipe file by path.

    Raises UsageError for an unknown name (with the nearest ones), and for a file that breaks the schema (with the
    file, the field and what is allowed).
    """
    return read_model(_recipe_file(name_or_file), NamedRecipe)


def expand_recipe(stated: Any) -> Any:
    """The fields of a recipe that is stated as a name, or as a mapping with ``name`` and fields that differ.

    Anything else is returned as it is. The source then starts with the name and the fields that differ. Raises
    UsageError as ``load_recipe`` does.
    """
    if isinstance(stated, str):
        stated = {"name": stated}
    if not isinstance(stated, Mapping) or "name" not in stated:
        return stated
    name = str(stated["name"])
    changed = {field: value for field, value in stated.items() if field != "name"}
    fields = load_recipe(name).model_dump(exclude={"title"})
    try:
        read = RecipeEntry.model_validate({**fields, **changed}).model_dump()
    except ValidationError:
        return {**fields, **changed}  # whoever reads the suite tells what is wrong, and where
    differing = [field for field in changed if read[field] != fields[field]]
    note = f" with other {', '.join(differing)}" if differing else ""
    return {**fields, "source": f"{_recipe_file(name).stem}{note}: {fields['source']}", **changed}


def _recipe_file(name_or_file: str) -> Path:
    if name_or_file.endswith((".yaml", ".yml")) or "/" in name_or_file:
        path = Path(name_or_file)
        if not path.is_file():
            raise UsageError(f"there is no recipe file {path}.")
        return path
    shipped = shipped_recipes()
    if name_or_file not in shipped:
        raise unknown_name("recipe", name_or_file, shipped)
    return shipped[name_or_file]
