"""What every registered evaluator keeps, whoever wrote it."""

import pandas as pd
import pytest

from bench.core.errors import DataError
from evaluators.base import VALUE_COLUMNS, Evaluator
from evaluators.registry import evaluators, metric_definitions

every_evaluator = pytest.mark.parametrize("name", evaluators.names())


@pytest.fixture
def rows(name: str, answer_rows: pd.DataFrame, photo_rows: pd.DataFrame) -> pd.DataFrame:
    return answer_rows if evaluators.get(name).subject == "answers" else photo_rows


@every_evaluator
def test_one_value_an_item_with_its_person_and_scenario(name: str, rows: pd.DataFrame) -> None:
    values = evaluators.get(name)().evaluate(rows)
    item = "request_id" if evaluators.get(name).subject == "answers" else "photo_id"
    known = set(rows[[item, "person_id", "scenario"]].itertuples(index=False, name=None))
    assert list(values.columns) == list(VALUE_COLUMNS)
    single = values[values["item_id"].isin(rows[item])]
    assert set(single[["item_id", "person_id", "scenario"]].itertuples(index=False, name=None)) <= known
    summed = values[~values["item_id"].isin(rows[item])]
    assert set(summed["person_id"]) <= {*rows["person_id"], ""}, "an item of several answers is about a known person"
    declared = {metric.name for metric in evaluators.get(name).metrics}
    assert set(values["metric"]) and set(values["metric"]) <= declared


@every_evaluator
def test_values_are_in_the_range_of_their_unit(name: str, rows: pd.DataFrame) -> None:
    values = evaluators.get(name)().evaluate(rows)
    units = values["metric"].map({metric.name: metric.unit for metric in evaluators.get(name).metrics})
    assert values["value"].notna().any()
    assert values.loc[units == "share", "value"].dropna().between(0, 1).all()
    assert values.loc[units == "difference", "value"].dropna().between(-1, 1).all()
    assert values.loc[units == "index", "value"].dropna().between(-1, 1 + 1e-9).all()


@pytest.mark.parametrize("name", [name for name in evaluators.names() if evaluators.get(name).subject == "answers"])
def test_a_failed_answer_is_unscored_and_not_wrong(name: str, rows: pd.DataFrame) -> None:
    failed = set(rows.loc[rows["status"] == "error", "request_id"])
    values = evaluators.get(name)().evaluate(rows)
    of_failed = values["item_id"].isin(failed)
    assert values.loc[of_failed, "value"].isna().all()
    if values["item_id"].isin(rows["request_id"]).any():
        assert of_failed.any()
    else:
        without = evaluators.get(name)().evaluate(rows[rows["status"] != "error"])
        pd.testing.assert_frame_equal(without, values)


@every_evaluator
def test_it_repeats_itself_and_leaves_its_rows_alone(name: str, rows: pd.DataFrame) -> None:
    untouched = rows.copy(deep=True)
    first = evaluators.get(name)().evaluate(rows)
    pd.testing.assert_frame_equal(rows, untouched)
    pd.testing.assert_frame_equal(evaluators.get(name)().evaluate(rows), first)


@every_evaluator
def test_the_order_of_rows_changes_no_value(name: str, rows: pd.DataFrame) -> None:
    def in_order(values: pd.DataFrame) -> pd.DataFrame:
        return values.sort_values(["metric", "item_id"], ignore_index=True)

    shuffled = rows.sample(frac=1, random_state=1)
    first, second = (evaluators.get(name)().evaluate(given) for given in (rows, shuffled))
    pd.testing.assert_frame_equal(in_order(first), in_order(second))


@every_evaluator
def test_no_rows_give_no_values(name: str, rows: pd.DataFrame) -> None:
    values = evaluators.get(name)().evaluate(rows[:0])
    assert len(values) == 0 and list(values.columns) == list(VALUE_COLUMNS)


@every_evaluator
def test_a_missing_column_is_named(name: str, rows: pd.DataFrame) -> None:
    with pytest.raises(DataError, match="'person_id'"):
        evaluators.get(name)().evaluate(rows.drop(columns="person_id"))


@every_evaluator
def test_it_is_described_and_says_where_it_comes_from(name: str) -> None:
    kind = evaluators.get(name)
    assert issubclass(kind, Evaluator)
    assert kind.__doc__ and kind.__doc__.strip() != (Evaluator.__doc__ or "").strip()
    assert evaluators.origin(name)
    assert kind.metrics and all(metric.meaning.endswith(".") for metric in kind.metrics)


def test_no_two_evaluators_share_a_metric() -> None:
    declared = [metric.name for name in evaluators.names() for metric in evaluators.get(name).metrics]
    assert sorted(declared) == sorted(metric_definitions())
