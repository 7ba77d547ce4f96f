"""What is expected to take how long."""

import pytest
from sample_stages import make_stage, write_text

from bench.plan.estimates import chain_seconds, finish_seconds


def test_the_longest_chain_is_measured_to_its_end() -> None:
    first = make_stage("first", write_text, "")
    second = make_stage("second", write_text, "", [first])
    alone = make_stage("alone", write_text, "")
    seconds = {"first": 1.0, "second": 5.0, "alone": 3.0}
    assert chain_seconds([first, second, alone], seconds) == {"first": 6.0, "second": 5.0, "alone": 3.0}


def test_many_stages_are_measured_in_one_pass() -> None:
    stages = [make_stage("0", write_text, "")]
    for number in range(1, 3000):
        stages.append(make_stage(str(number), write_text, "", stages[-1:]))
    seconds = {stage.name: 1.0 for stage in stages}
    assert chain_seconds(stages, seconds)["0"] == 3000


@pytest.mark.parametrize(("workers", "seconds"), [(1, 9.0), (2, 6.0), (8, 6.0)])
def test_all_of_it_takes_the_longest_chain_or_the_work_of_each_worker(workers: int, seconds: float) -> None:
    first, alone = make_stage("first", write_text, ""), make_stage("alone", write_text, "")
    second = make_stage("second", write_text, "", [first])
    known = {"first": 1.0, "second": 5.0, "alone": 3.0}
    assert finish_seconds([first, second, alone], known, workers) == seconds
