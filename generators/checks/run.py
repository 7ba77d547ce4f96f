"""All checks of a dataset, in one report."""

from collections.abc import Sequence

from bench.core.progress import ReportProgress
from generators.checks.answers import check_answers
from generators.checks.balance import check_balance
from generators.checks.consent import check_consent
from generators.checks.duplicates import check_duplicates, check_shared_photos
from generators.checks.facts import check_facts
from generators.checks.finding import CheckReport, Finding, merge
from generators.checks.hashing import HashedPhotos
from generators.checks.identity import check_identity
from generators.checks.metadata import check_metadata
from generators.checks.names import check_names, check_names_against
from generators.checks.overlap import check_people_against, check_strangers
from generators.checks.photos import Photo, read_photos
from generators.checks.recognition import Embed, Judge, embed_photos
from scenarios.dataset import Dataset


def run_checks(
    dataset: Dataset, embed: Embed | None, report: ReportProgress, against: Sequence[Dataset] = ()
) -> CheckReport:
    """Check a dataset that loaded, and that it shares no photo, name or face with the datasets ``against``.

    ``embed`` is the recogniser; without one, a note says that faces were not compared.
    """
    photos, decodable = read_photos(dataset, report)
    hashed = HashedPhotos(photos, report)
    faces, judge = _faces(dataset, photos, embed, report)
    reports = [
        decodable,
        check_metadata(photos),
        check_facts(dataset),
        check_answers(dataset),
        check_balance(dataset),
        check_consent(dataset),
        check_duplicates(photos, hashed),
        check_names(dataset.persons()),
        faces,
    ]
    reports += [_against(dataset, other, hashed, embed, judge, report) for other in against]
    return merge(reports)


def _faces(
    dataset: Dataset, photos: Sequence[Photo], embed: Embed | None, report: ReportProgress
) -> tuple[CheckReport, Judge | None]:
    if embed is None or not photos:
        message = "no recogniser looked: whether photos show who they are filed under, and nobody twice, is not known."
        return CheckReport((Finding("note", "identity", "", message),)), None
    features = embed_photos(photos, embed, report)
    identity, judge = check_identity(photos, features)
    if judge is None:
        return identity, None
    return merge([identity, check_strangers(dataset.persons(), photos, features, judge)]), judge


def _against(
    dataset: Dataset,
    other: Dataset,
    hashed: HashedPhotos,
    embed: Embed | None,
    judge: Judge | None,
    report: ReportProgress,
) -> CheckReport:
    photos, _ = read_photos(other, report)  # whether the other one decodes is for its own check to say
    reports = [
        check_names_against(dataset.persons(), other.persons(), other.name),
        check_shared_photos(hashed, HashedPhotos(photos, report), other.name),
    ]
    if embed is not None and judge is not None and photos:
        reports.append(check_people_against(judge, photos, embed_photos(photos, embed, report), other.name))
    elif embed is not None:
        message = f"faces were not compared with {other.name}: see the findings of the check identity."
        reports.append(CheckReport((Finding("note", "overlap", "", message),)))
    return merge(reports)
