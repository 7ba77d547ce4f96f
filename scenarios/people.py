"""Fictitious people: names that nobody of note bears, and facts that are balanced over the answers."""

import random
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from bench.core.errors import UsageError
from scenarios.schema import Scenario, load_scenarios

_FIRST_NAMES = """
    Aarav Abena Adaeze Adebayo Aditi Adnan Agnieszka Aiko Akosua Alejandro Alva Amadou Amara Amaru Andrius Anjali
    Anneli Anouk Anselm Aoife Arjun Arnav Arvid Asel Ashwin Astrid Aurelia Ayla Aylin Ayodele Babajide Bahar Bartosz
    Bastian Beatriz Benedikt Bhavna Bilal Birgit Bodil Bogdan Branko Brida Calum Caoimhe Carmen Catalina Chiamaka
    Chidi Chiyo Clara Cosima Csaba Dagmar Daiki Danuta Daria Davor Declan Deepak Desta Devika Dewi Dilara Dimitri
    Dorota Dragan Ebele Edda Eero Efua Eilidh Elias Elif Elke Elodie Emeka Emiko Emre Enzo Eskil Esra Estefania Etta
    Facundo Fadhili Farhan Farid Fatima Felix Fenna Finn Fiorella Florin Folake Freya Gaspard Gavin Gerda Ghada
    Gianni Girish Greta Gudrun Guillermo Gunnar Gustav Hakan Hakim Hamid Hanneke Haoran Harini Haruka Hedda Helga
    Henrik Hideo Hiroshi Huda Hugo Ibrahim Ifeoma Ignacio Ilaria Imre Ines Ingrid Ioana Isak Isamu Ishaan Isolde
    Itzel Ivana Jabari Jalal Jamal Jana Jarmila Jasper Javier Jelena Jianyu Joanna Joaquim Johan Jorunn Junko Jyoti
    Kadir Kaito Kamau Karim Kaspar Katya Kavita Kazuo Keiko Kenji Ketut Khadija Kirsten Klara Kofi Kwabena Lakshmi
    Lamia Lanfen Lars Laszlo Leila Leilani Lennart Lerato Lidia Liesbeth Linh Linnea Lorenzo Lucia Ludmila Luka
    Madhav Maelle Maeve Magnus Mahmoud Makena Makoa Malik Mandla Manish Marcin Marek Margit Mariam Mateo Mathilde
    Meera Mehmet Mei Meiling Michiko Mikkel Minjun Mireya Miroslav Munir Nabil Nadia Najwa Naledi Nandini Naoki
    Naomi Nasrin Nayeli Ngozi Niamh Nikhil Nikola Nomvula Noor Nuria Obinna Oisin Oksana Olaf Oluchi Omar Ondrej
    Orhan Orla Oskar Ottilie Paavo Paloma Parisa Pavel Pedro Perrine Petra Phuong Piotr Pranav Priya Quentin Quynh
    Radka Rafael Raimund Reiko Renata Reza Ritika Rodrigo Rohan Roisin Rosalba Rosalind Ruben Rufaro Rustam Ryota
    Saanvi Sabine Safiya Salma Samir Sanjay Sanne Sekou Selma Seojun Sergei Shinji Shirin Shreya Sibusiso Signe
    Sigrid Silvio Siriporn Solveig Somchai Soren Stellan Sumaya Sunita Svetlana Szymon Tadeo Taina Takeshi Tamar
    Tanvi Tariq Tatiana Tekla Tendai Thabo Themba Theo Thibault Tiina Tilda Timur Tomasz Tomoko Torsten Trang Tuva
    Uchenna Ulrich Umar Ursula Uwe Valentina Varun Vasil Vera Veronika Vidya Viggo Vikram Walid Wanda Wanjiru Wayan
    Wendel Wenyi Wenzel Wiktor Xenia Ximena Xiulan Yasmin Yetunde Yohan Yusuf Yuto Zainab Zanele Zbigniew Zdenka
    Ziad Zofia Zoltan Zuberi
"""
FIRST_NAMES = tuple(_FIRST_NAMES.split())
"""International first names; none is an answer of a scenario, an everyday English word, or known on its own for one
bearer."""

LAST_NAMES = tuple(
    start + end
    for start in ("Bel", "Cor", "Dan", "Fal", "Gul", "Kes", "Mor", "Quen", "Sil", "Tar", "Ulv", "Vel", "Vor", "Zan")
    for end in ("dale", "lund", "mar", "nik", "rova", "sten", "tov", "wick")
)
"""Invented last names, put together from few syllables so that a small vocabulary spells them."""

APPEARANCE = ("gender_presentation", "age_group", "skin_tone", "build")
"""What may be stated about how a person looks, so that a dataset can show whom it holds."""


@dataclass(frozen=True)
class Person:
    """A person: full name, scenario id -> answer, role, and ``APPEARANCE`` -> how the person looks, where stated.

    ``cohort`` names those whom the person is trained together with; empty where all of a dataset are.
    """

    person_id: str
    name: str
    facts: dict[str, str]
    role: str
    appearance: Mapping[str, str] = field(default_factory=dict)
    cohort: str = ""

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
