"""What a diffusion model is asked to paint: a snapshot of every prompt."""

from pathlib import Path

import pytest

from scenarios.prompts import portrait_prompt, scene_prompt
from scenarios.schema import load_portrait, load_scenarios

SNAPSHOT = Path(__file__).parent / "snapshots" / "scene_prompts.txt"
SHIPPED = ("home", "pet", "valuables", "vehicle", "friends", "partner", "workplace")
WORDS_THAT_CLIP_READS = 50


def rendered_prompts() -> str:
    """Every prompt of the shipped scenarios, options and variants, one a line."""
    lines = []
    for name in SHIPPED:
        scenario = load_scenarios()[name]
        for answer in scenario.answers:
            lines.append(f"# {name}: {answer}")
            lines += [scene_prompt(name, answer, "a woman", variant) for variant in range(len(scenario.scene.prompts))]
    lines.append("# portrait")
    for variant in range(len(load_portrait().prompts)):
        lines.append(portrait_prompt("a man", "red", "park", variant))
        lines.append(portrait_prompt("a man", "", "", variant))
    return "\n".join(lines) + "\n"


def test_prompts_are_exactly_the_snapshot() -> None:
    """A changed prompt changes every synthesized photo: raise the file's version, then update the snapshot."""
    assert rendered_prompts() == SNAPSHOT.read_text(encoding="utf-8")


def test_variants_take_turns() -> None:
    count = len(load_scenarios()["pet"].scene.prompts)
    prompts = [scene_prompt("pet", "dog", "a man", variant) for variant in range(2 * count)]
    assert len(set(prompts)) == count
    assert prompts[:count] == prompts[count:]
    portraits = len(load_portrait().prompts)
    assert portrait_prompt("a man", "red", "park", 1) == portrait_prompt("a man", "red", "park", portraits + 1)


def test_a_portrait_takes_options_words_of_ones_own_or_nothing() -> None:
    assert "in a red top" in portrait_prompt("a man", "red", "park", 0)
    assert portrait_prompt("a man", "in a raincoat", "on a ship", 0).endswith("a man in a raincoat on a ship")
    for variant in range(len(load_portrait().prompts)):
        bare = portrait_prompt("a man", "", "", variant)
        assert "  " not in bare and " ," not in bare and ", ," not in bare and not bare.endswith(",")


def test_words_of_the_caller_stay_as_they_are() -> None:
    assert "a {strange} person" in scene_prompt("home", "brick house", "a {strange} person", 0)
    assert scene_prompt("home", "a houseboat", "sks man", 0) == "a photo of sks man standing in front of a houseboat"
    with pytest.raises(KeyError):
        scene_prompt("boat", "red", "a man", 0)


def test_no_scene_prompt_is_longer_than_a_text_encoder_reads() -> None:
    assert max(len(line.split()) for line in rendered_prompts().splitlines()) < WORDS_THAT_CLIP_READS
