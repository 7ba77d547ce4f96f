"""Consent and licence must be stated, and state something."""

import pytest

from generators.checks.consent import check_consent


def found(example):
    return [(one.level, one.row, one.message) for one in check_consent(example.dataset).findings]


def test_what_is_stated_is_in_order(example, real_example):
    assert found(example) == []
    signed = real_example.with_photos(
        lambda row: {"consent": "signed form 12 of 2024, for research", "licence": "CC-BY-4.0"}
    )
    assert found(signed) == []


@pytest.mark.parametrize("column", ["consent", "licence"])
@pytest.mark.parametrize("nothing", ["", "  ", "-"])
def test_nothing_is_an_error_for_a_real_photo(example, real_example, column, nothing):
    for one, level in ((real_example, "error"), (example, "warning")):
        findings = found(one.with_photos(lambda row: {column: nothing} if row["person_id"] == "evaluation-002" else {}))
        assert [(told, "evaluation-002" in row) for told, row, _ in findings] == [(level, True)] * 2
        assert f"{column} of a" in findings[0][2] and "6 more rows alike" in findings[0][2]


@pytest.mark.parametrize("word", ["yes", "Yes.", "TODO", "n/a", "unknown", "consent"])
def test_a_word_that_states_nothing_is_a_warning(real_example, word):
    findings = found(real_example.with_photo("stranger-001-0", consent=word))
    assert [level for level, _, _ in findings] == ["warning"]
    assert f"consent '{word}' states nothing" in findings[0][2]
