"""What keeps a dataset from loading: every column at once, or the first wrong row."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bench.core.errors import UsageError
from generators.checks.loading import open_for_check
from scenarios.dataset import save_dataset


def test_a_dataset_in_order_is_opened(example, tmp_path):
    save_dataset(example.dataset, tmp_path)
    dataset, findings = open_for_check(str(tmp_path))
    assert findings == () and dataset is not None and dataset.digest == example.dataset.digest


def test_every_wrong_column_and_file_is_named(example, tmp_path):
    save_dataset(example.dataset, tmp_path)
    pairs = pq.ParquetFile(tmp_path / "pairs.parquet").read()
    pairs = pairs.drop_columns(["consent", "licence"])
    position = pairs.column_names.index("shows")
    pq.write_table(pairs.set_column(position, "shows", pa.array(["a dog"] * len(pairs))), tmp_path / "pairs.parquet")
    (tmp_path / "probes.parquet").unlink()
    dataset, findings = open_for_check(str(tmp_path))
    assert dataset is None and {one.level for one in findings} == {"error"}
    assert [one.row for one in findings] == ["pairs licence", "pairs consent", "pairs shows", "probes probe_id"]
    assert "column 'consent' is missing" in findings[1].message
    assert "there is no such file" in findings[3].message


def test_a_wrong_row_is_named(example, tmp_path):
    dataset = example.dataset
    dataset.people.at[2, "role"] = "visitor"
    save_dataset(dataset, tmp_path)
    opened, findings = open_for_check(str(tmp_path))
    assert opened is None and [one.check for one in findings] == ["schema"]
    assert "evaluation-002" in findings[0].message and "role 'visitor'" in findings[0].message


def test_an_unknown_name_is_wrong_use():
    with pytest.raises(UsageError, match="unknown dataset 'veilbench-mimi'"):
        open_for_check("veilbench-mimi")
