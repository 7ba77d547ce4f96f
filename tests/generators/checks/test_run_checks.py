"""All checks together: silence where nothing is wrong, and every fault of a spoilt dataset in one report."""

import pytest

from bench.core.progress import quiet
from generators.checks.run import run_checks


def test_nothing_is_found_where_nothing_is_wrong(example, tools, told):
    report = run_checks(example.dataset, tools.recogniser(example.photos), quiet())
    assert told(report) == []
    assert report.errors == 0
    figures = report.figures
    assert (figures["people"], figures["strangers"], figures["pairs"], figures["photos"]) == (5, 3, 35, 56)
    assert (figures["majority_guesser"], figures["chance"]) == pytest.approx((0.2, 0.2))
    assert figures["rank1_probe_to_train"] == 1.0
    assert figures["near_duplicates"] == figures["exact_duplicates"] == figures["photos_with_metadata"] == 0


def test_without_a_recogniser_a_note_says_so(example):
    report = run_checks(example.dataset, None, quiet())
    assert [one.level for one in report.findings if one.check == "identity"] == ["note"]
    assert "auc" not in report.figures


def test_every_fault_is_told_in_one_run(real_example, tools, told):
    spoilt = real_example.with_photo("evaluation-000-7", image=b"no photo")
    spoilt = spoilt.with_photo("evaluation-001-7", shows=None)
    spoilt = spoilt.with_photo("evaluation-002-7", image=real_example.image("evaluation-002-0"))
    spoilt = spoilt.with_photo("stranger-000-0", consent="")
    report = run_checks(spoilt.dataset, None, quiet())
    assert [(level, check) for level, check, _ in told(report)] == [
        ("error", "decodable"),
        ("error", "answers"),
        ("error", "consent"),
        ("error", "duplicates"),
    ]
    assert report.errors == 4


def test_what_two_datasets_share_is_told(example, tools, told):
    other = tools.make_example(seed=9, first=500)
    separate = run_checks(example.dataset, None, quiet(), [other.dataset])
    assert told(separate) == []
    copied = other.with_photo("evaluation-003-8", image=example.image("evaluation-001-7"))
    report = run_checks(example.dataset, None, quiet(), [copied.dataset])
    assert told(report) == [("error", "duplicates", report.findings[-1].row)]
    assert "evaluation-001-7" in report.findings[-1].row and "evaluation-003-8" in report.findings[-1].message
    assert report.figures["photos_shared_with example"] == 1


def test_a_person_of_another_dataset_is_recognised(example, tools, told):
    import pandas as pd

    other = tools.make_example(seed=9, first=500)
    both = pd.concat([example.photos, other.photos.assign(person_id="other " + other.photos["person_id"])])
    alone = run_checks(example.dataset, tools.recogniser(both), quiet(), [other.dataset])
    assert told(alone) == []
    embed = tools.recogniser(both, {"other stranger-001": "evaluation-002"})
    report = run_checks(example.dataset, embed, quiet(), [other.dataset])
    assert told(report) == [("warning", "overlap", "example, people stranger-001")]
    assert "evaluation-002" in report.findings[-1].message
    assert report.figures["highest_similarity_to example"] > report.figures["same_person_threshold"]
