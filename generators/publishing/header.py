"""The YAML header of a dataset card, as the hub reads it."""

from typing import Any

import pyarrow as pa
import yaml

from generators.publishing.layout import TABLES, Publication, Table
from generators.publishing.licences import OTHER, Licence
from generators.publishing.photos import REAL
from generators.publishing.summary import Summary
from scenarios.tables import IMAGE

_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))


def header(summary: Summary, publication: Publication) -> str:
    """The header with its two fences: licence, tasks, size, and for each table its files, columns and rows."""
    fields = {
        "pretty_name": publication.title,
        **_licence_fields(publication.licence),
        "language": ["en"],
        "task_categories": ["visual-question-answering", "image-to-text"],
        "tags": _tags(summary),
        "size_categories": [size_category(sum(_rows(table, summary) for table in TABLES))],
        "annotations_creators": _annotators(summary),
        "source_datasets": ["original"],
        "configs": [
            {
                "config_name": table.name,
                "data_files": [{"split": table.split, "path": table.pattern(publication.layout)}],
                **({"default": True} if table.name == "pairs" else {}),
            }
            for table in TABLES
        ],
        "dataset_info": [
            {
                "config_name": table.name,
                "features": [_feature(field) for field in publication.columns(table)],
                "splits": [{"name": table.split, "num_examples": _rows(table, summary)}],
            }
            for table in TABLES
        ],
    }
    return f"---\n{yaml.safe_dump(fields, sort_keys=False, allow_unicode=True, width=1000)}---\n"


def size_category(rows: int) -> str:
    """The hub's word for a number of rows."""
    return next((name for limit, name in _SIZES if rows < limit), "n>1M")


def _licence_fields(licence: Licence) -> dict[str, str]:
    name = {"license_name": licence.name} if licence.identifier == OTHER else {}
    return {"license": licence.identifier, **name}


def _tags(summary: Summary) -> list[str]:
    kinds = ["real-people"] if REAL in summary.sources else ["synthetic"]
    return ["veilbench", "privacy", "identity", "vision-language-model", *kinds]


def _annotators(summary: Summary) -> list[str]:
    # Descriptions of fictitious people come from templates; who described real photos, the tables do not say.
    annotators = {"other" if source == REAL else "machine-generated" for source in summary.sources}
    return sorted(annotators)


def _rows(table: Table, summary: Summary) -> int:
    counts = {"people": sum(summary.people.values()), "pairs": summary.pairs, "probes": summary.probes}
    return counts[table.name]


def _feature(field: pa.Field) -> dict[str, Any]:
    if field.type == IMAGE:
        return {"name": field.name, "dtype": "image"}
    if pa.types.is_list(field.type):
        return {"name": field.name, "list": str(field.type.value_type)}
    return {"name": field.name, "dtype": str(field.type)}
