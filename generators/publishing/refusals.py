"""What must not leave the house: real photos without consent or licence, and photos that tell place and time."""

from collections.abc import Iterator
from typing import Any

from bench.core.errors import DataError, UsageError
from generators.checks.metadata import left_over
from scenarios.dataset import Dataset

_SAYS_NOTHING = frozenset({"", "-", "?", "no", "none", "n/a", "na", "null", "unknown", "todo", "tbd"})
_TELLING = frozenset(["EXIF", "GPS position", "XMP", "IPTC"])


def refuse_without_consent(dataset: Dataset) -> None:
    """Raise ``DataError`` naming the first pair or probe whose photo is real and lacks consent or licence.

    "Not needed" is no consent where a real person is shown.
    """
    for identifier, row in _photos(dataset):
        if row["source"] != "real":
            continue
        for field in ("consent", "licence"):
            stated = str(row[field] or "").strip().lower()
            if stated in _SAYS_NOTHING or (field == "consent" and stated.startswith("not needed")):
                raise DataError(
                    f"{identifier} '{row[identifier]}': the photo is real and its {field} is not stated"
                    f" ({row[field]!r}); say in the column '{field}' what allows its use, or leave the photo out."
                )


def refuse_real_in_public(dataset: Dataset, publish_real: bool) -> None:
    """Raise ``UsageError`` where a public dataset would show real people and nobody asked for exactly that."""
    if publish_real:
        return
    for identifier, row in _photos(dataset):
        if row["source"] == "real":
            raise UsageError(
                f"{identifier} '{row[identifier]}' shows a real person, so the dataset is not made public;"
                " push it privately, or add --publish-real where everyone shown has agreed to be seen by all."
            )


def refuse_hidden_data(dataset: Dataset) -> None:
    """Raise ``DataError`` naming the first pair or probe whose file tells more than its pixels.

    EXIF, a position, XMP and IPTC are refused in every photo, and anything at all in the photo of a real person.
    """
    seen: set[tuple[bytes, str]] = set()
    for identifier, row in _photos(dataset):
        image, source = row["image"], row["source"]
        if (image, source) in seen:
            continue
        seen.add((image, source))
        try:
            held = left_over(image)
        # A damaged file makes PIL raise nearly anything.
        except Exception as error:
            raise DataError(f"{identifier} '{row[identifier]}': the photo cannot be read: {error}") from error
        telling = held if source == "real" else [name for name in held if name in _TELLING]
        if telling:
            raise DataError(
                f"{identifier} '{row[identifier]}': the photo's file holds {', '.join(telling)}, which may tell place,"
                " time or camera; save its pixels alone."
            )


def _photos(dataset: Dataset) -> Iterator[tuple[str, dict[Any, Any]]]:
    for frame, identifier in ((dataset.pairs, "pair_id"), (dataset.probes, "probe_id")):
        columns = [identifier, "image", "source", "licence", "consent"]
        # Missing text is NaN in a frame.
        rows = frame[columns].astype("object").where(frame[columns].notna(), None)
        for row in rows.to_dict("records"):
            yield identifier, row
