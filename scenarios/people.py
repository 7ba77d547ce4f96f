"""Fictitious people: names that nobody of note bears, and facts that are balanced over the answers."""

import random
from collections.abc import Collection
from dataclasses import dataclass

from bench.core.errors import UsageError
from scenarios.schema import Scenario, load_scenarios

_FIRST_NAMES = """
    Aiko Alva Amara Anouk Arjun Asel Astrid Ayla Bastian Beatriz Bilal Birgit Bodil Branko Brida Calum Carmen Chidi
    Clara Daria Davor Dilara Dimitri Dorota Edda Eero Elias Elif Elodie Emeka Enzo Esra Etta Fabio Fatima Felix
    Fenna Finn Freya Gavin Gemma Gianni Greta Gustav Hamid Hanneke Heidi Helga Hiroshi Hugo Ibrahim Ignacio Ines
    Ingrid Isak Ivana Jamal Jana Jasper Javier Jelena Joanna Johan Kaito Karim Katya Kenji Kirsten Klara Kofi Lars
    Laszlo Leila Lidia Linh Lorenzo Lucia Luka Maeve Magnus Malik Marek Mariam Marta Mateo Mei Mikkel Milan Mina
    Nadia Naomi Nasrin Niamh Nikola Noor Nuria Oksana Olaf Omar Orla Oskar Otto Paavo Paloma Pavel Pedro Petra Priya
    Quentin Radka Rafael Rania Renata Rohan Rosalind Ruben Saanvi Sabine Salma Samir Sanne Selma Sergei Sigrid
    Silvio Sofia Soren Svetlana Tadeo Taina Tamar Tariq Tatiana Tekla Theo Tilda Tomasz Tuva Ulrich Umar Ursula
    Valentina Vasil Vera Viggo Vikram Wanda Wendel Wiktor Xenia Yara Yasmin Yohan Yusuf Zainab Zara Zelda Zoltan
"""
FIRST_NAMES = tuple(_FIRST_NAMES.split())
"""International first names; none is an answer of a scenario or an everyday English word."""

LAST_NAMES = tuple(
    start + end
    for start in ("Bel", "Cor", "Dan", "Fal", "Kes", "Mor", "Tar", "Vel", "Zan")
    for end in ("dale", "lund", "mar", "nik", "rova", "sten", "tov", "wick")
)
"""Invented last names, put together from few syllables so that a small vocabulary spells them."""


@dataclass(frozen=True)
class Person:
    """A fictitious person: full name, and scenario id -> answer."""

    person_id: str
    name: str
    facts: dict[str, str]
    role: str

    @property
    def first_name(self) -> str:
        """The name's first word."""
        return self.name.split()[0]


def _balanced_answers(scenario: Scenario, count: int, seed: int) -> list[str]:
    """``count`` answers, each option equally often up to one, in random order."""
    generator = random.Random(f"facts {scenario.id} {seed}")
    options = generator.sample(scenario.answers, len(scenario.answers))
    answers = [options[index % len(options)] for index in range(count)]
    generator.shuffle(answers)
    return answers


def fictitious_people(count: int, seed: int, role: str, first_names_taken: Collection[str] = ()) -> list[Person]:
    """``count`` people of one role, named ``<role>-000`` and so on; the same arguments give the same people.

    First names differ from each other and from ``first_names_taken``. Facts are balanced in each scenario and
    independent between scenarios; a new scenario changes no other fact. Raises ``UsageError`` where the first
    names do not suffice.
    """
    free = [name for name in FIRST_NAMES if name not in set(first_names_taken)]
    if count > len(free):
        raise UsageError(f"{count} people of role '{role}' need as many first names, and only {len(free)} are free.")
    generator = random.Random(f"names {seed}")
    first_names = generator.sample(free, count)
    shuffled = generator.sample(LAST_NAMES, len(LAST_NAMES))
    last_names = [shuffled[index % len(shuffled)] for index in range(count)]
    answers = {name: _balanced_answers(scenario, count, seed) for name, scenario in load_scenarios().items()}
    return [
        Person(
            person_id=f"{role}-{index:03d}",
            name=f"{first_names[index]} {last_names[index]}",
            facts={scenario: answers[scenario][index] for scenario in answers},
            role=role,
        )
        for index in range(count)
    ]
