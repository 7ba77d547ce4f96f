"""What a diffusion model is asked to paint, in the words of the scenario files."""

import re

from scenarios.schema import load_portrait, load_scenarios, load_visible


def scene_prompt(scenario: str, answer: str, person_phrase: str, variant: int) -> str:
    """The prompt for a photo of a person with what the answer stands for.

    ``person_phrase`` says who is in it, such as "a woman" or a learned word. ``variant`` is any whole number; the
    scenario's prompts take turns. An answer that is none of the scenario's options stands in the prompt as it is.
    Raises ``KeyError`` for an unknown scenario.
    """
    known = load_scenarios()[scenario]
    thing = known.option(answer).scene.phrase if answer in known.answers else answer
    prompts = known.scene.prompts
    return prompts[variant % len(prompts)].format(person=person_phrase, thing=thing)


def portrait_prompt(person_phrase: str, clothes: str, surroundings: str, variant: int) -> str:
    """The prompt for a photo of the person alone.

    ``clothes`` and ``surroundings`` are options of these topics in ``visible.yaml`` ("red", "park"), words of one's
    own ("in a raincoat", "on a ship"), or '' for none. ``variant`` is any whole number; the prompts take turns.
    """
    prompts = load_portrait().prompts
    text = prompts[variant % len(prompts)].format(
        person=person_phrase,
        clothes=_phrase("clothes", clothes),
        surroundings=_phrase("surroundings", surroundings),
    )
    return _tidy(text)


def _phrase(topic: str, option: str) -> str:
    return load_visible()[topic].phrases.get(option, option)


def _tidy(text: str) -> str:
    """The text without the gaps and doubled commas that empty words leave."""
    text = re.sub(r"\s*,(\s*,)*\s*", ", ", re.sub(r"\s+", " ", text))
    return text.strip(" ,")
