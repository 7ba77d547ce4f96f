"""The Croissant description of a dataset: files, columns and provenance in the words that other tools read."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from bench.core.digests import digest_file
from generators.publishing.layout import TABLES, Layout, Publication, Table, table_files
from generators.publishing.statements import FORBIDDEN, INTENDED, limits, sensitive
from generators.publishing.summary import Summary
from scenarios.dataset import Dataset
from scenarios.tables import IMAGE

_PARQUET = "application/x-parquet"
_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}


def croissant(dataset: Dataset, summary: Summary, publication: Publication) -> str:
    """Croissant 1.0 as JSON-LD: each table's files with size and SHA-256, and its columns.

    Paths are relative to the folder of the tables, or lead to the repository on the hub where there is one. Raises
    ``DataError`` where a table is missing.
    """
    page = f"https://huggingface.co/datasets/{publication.repo}" if publication.repo else None
    licence = publication.licence
    described = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": ["http://mlcommons.org/croissant/1.0", "http://mlcommons.org/croissant/RAI/1.0"],
        "name": publication.title,
        "description": publication.description,
        "identifier": dataset.digest,
        "license": licence.url or licence.text,
        **({"url": page} if page else {}),
        "inLanguage": "en",
        "keywords": ["veilbench", "privacy", "identity", "vision-language model"],
        "isLiveDataset": False,
        "rai:dataUseCases": [f"Intended: {use}" for use in INTENDED] + [f"Forbidden: {use}" for use in FORBIDDEN],
        "rai:dataLimitations": limits(summary),
        "rai:personalSensitiveInformation": sensitive(summary),
        "distribution": _distribution(publication, page),
        "recordSet": [_record_set(table, publication) for table in TABLES],
    }
    return json.dumps(described, indent=2, ensure_ascii=False) + "\n"


def _distribution(publication: Publication, page: str | None) -> list[dict[str, Any]]:
    folder, layout = publication.tables, publication.layout
    files = table_files(folder, layout)
    objects = [_file_object(path, folder, page) for table in TABLES for path in files[table.name]]
    if layout == "folder":
        return objects
    repository = {
        "@type": "cr:FileObject",
        "@id": "repository",
        "name": "repository",
        "description": "The repository on the hub.",
        "contentUrl": page,
        "encodingFormat": "git+https",
        # A repository has no digest of its own; readers know this address as the reason.
        "sha256": "https://github.com/mlcommons/croissant/issues/80",
    }
    sets = [
        {
            "@type": "cr:FileSet",
            "@id": f"{table.name}-files",
            "name": f"{table.name}-files",
            "description": f"The shards of the table {table.name}.",
            **({"containedIn": {"@id": "repository"}} if page else {}),
            "encodingFormat": _PARQUET,
            "includes": table.pattern(layout),
        }
        for table in TABLES
    ]
    return [*([repository] if page else []), *objects, *sets]


def _file_object(path: Path, folder: Path, page: str | None) -> dict[str, Any]:
    name = path.relative_to(folder).as_posix()
    return {
        "@type": "cr:FileObject",
        "@id": name,
        "name": path.name,
        "contentUrl": f"{page}/resolve/main/{name}" if page else name,
        "contentSize": f"{path.stat().st_size} B",
        "encodingFormat": _PARQUET,
        "sha256": digest_file(path),
    }


def _source(table: Table, layout: Layout) -> dict[str, Any]:
    if layout == "folder":
        return {"fileObject": {"@id": table.pattern(layout)}}
    return {"fileSet": {"@id": f"{table.name}-files"}}


def _record_set(table: Table, publication: Publication) -> dict[str, Any]:
    source = _source(table, publication.layout)
    return {
        "@type": "cr:RecordSet",
        "@id": table.name,
        "name": table.name,
        "description": f"A row is {table.about}.",
        "key": {"@id": f"{table.name}/{table.key}"},
        "field": [_field(table, field, source) for field in publication.columns(table)],
    }


def _field(table: Table, field: pa.Field, source: Mapping[str, Any]) -> dict[str, Any]:
    extracted: dict[str, Any] = {**source, "extract": {"column": field.name}}
    described: dict[str, Any] = {
        "@type": "cr:Field",
        "@id": f"{table.name}/{field.name}",
        "name": field.name,
        "dataType": "sc:Text",
        "source": extracted,
    }
    if field.type == IMAGE:
        extracted["transform"] = {"jsonPath": "bytes"}
        return described | {"dataType": "sc:ImageObject"}
    if pa.types.is_list(field.type):
        described["repeated"] = True
        described["dataType"] = "sc:Integer" if pa.types.is_integer(field.type.value_type) else "sc:Text"
    if field.name == "person_id" and table.name != "people":
        described["references"] = {"field": {"@id": "people/person_id"}}
    return described
