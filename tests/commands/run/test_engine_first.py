"""An engine that nobody could ask is told before anything is computed, and nothing that was given shows in it."""

import json
from pathlib import Path

import pytest
from miniature_world import Miniature, veilbench
from raw_server import RawServer, http

from bench.commands.run.running import RunOrder, plan_suite, run_suite
from bench.core.errors import UsageError, VeilBenchError
from bench.core.progress import ReportProgress, quiet
from bench.core.store import ArtifactStore
from bench.execute.engines import Backend
from bench.execute.local import LocalExecutor
from bench.plan.suite_files import load_suite
from bench.stages.answer import AnswerSpec
from bench.stages.base import EngineAccess, Stage
from bench.targets.vllm.server import EngineSettings
from bench.targets.vllm.serving import served_name

SECRET = "marked-secret-4711"


def attempt(miniature: Miniature, folder: Path, backend: Backend) -> str:
    """What a run says that stops before its first stage."""
    store = ArtifactStore(folder / "store")
    with pytest.raises(VeilBenchError) as raised:
        run_suite(RunOrder(load_suite(str(miniature.suite)), store, folder / "page", backend=backend))
    assert not (store.root / "objects").exists() and not (folder / "page").exists()
    return str(raised.value)


def test_an_endpoint_where_nothing_answers(miniature: Miniature, tmp_path: Path) -> None:
    said = attempt(miniature, tmp_path, Backend("vllm", endpoint="http://127.0.0.1:9"))
    assert said.startswith("the engine at http://127.0.0.1:9 died or gives no usable answer: 2 tries failed")


def test_a_command_that_is_not_there(miniature: Miniature, tmp_path: Path) -> None:
    assert "'no-such-vllm' was not found" in attempt(miniature, tmp_path, Backend("vllm", ("no-such-vllm",)))


def test_a_key_that_cannot_be_sent_or_is_not_taken(
    miniature: Miniature, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with RawServer(http("401 Unauthorized", f'{{"error": "Incorrect API key: {SECRET}"}}'.encode())) as engine:
        monkeypatch.setenv("VEILBENCH_API_KEY", f"{SECRET}\n")
        said = attempt(miniature, tmp_path, Backend("vllm", endpoint=engine.url))
        assert "status 401" in said and "VEILBENCH_API_KEY" in said and said.endswith("Incorrect API key: ***")
        monkeypatch.setenv("VEILBENCH_API_KEY", f"{SECRET}ü")
        said = attempt(miniature, tmp_path, Backend("vllm", endpoint=engine.url))
    assert said.startswith("VEILBENCH_API_KEY holds") and SECRET not in said and "died" not in said


@pytest.mark.slow
def test_nothing_that_is_written_holds_the_key(
    miniature: Miniature, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VEILBENCH_API_KEY", SECRET)
    plan = plan_suite(load_suite(str(miniature.suite)), None, "vllm")
    stage = next(stage for stage in plan.stages.values() if stage.kind == "answer" and not stage.depends_on)
    assert isinstance(stage.spec, AnswerSpec)
    name = served_name(stage.spec.target.digest)
    listed = http("200 OK", json.dumps({"data": [{"id": name}]}).encode())
    store = ArtifactStore(tmp_path)
    with RawServer(listed, http("400 Bad Request", f"no model for {SECRET}".encode())) as engine:
        access = EngineAccess(EngineSettings(), engine.url)
        failures = LocalExecutor(1, access, keep_going=True).run([stage], store, {stage.name: 1.0}, _Nobody())
    assert [failure.reason for failure in failures] == [
        f"the engine at {engine.url} refused a request with status 400: no model for ***"
    ]
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert written and not [path for path in written if SECRET.encode() in path.read_bytes()]
    assert SECRET not in "".join(capfd.readouterr())


class _Nobody:
    """Watches nothing."""

    def progress(self, name: str) -> ReportProgress:
        return quiet()

    def finished(self, stage: Stage) -> None:
        pass


def test_with_keep_going_it_is_told_and_the_rest_is_computed(
    miniature: Miniature, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    reached = []

    def compute(*arguments: object) -> None:
        reached.append(arguments)
        raise UsageError("enough")

    monkeypatch.setattr("bench.commands.run.running._compute_missing", compute)
    backend = Backend("vllm", ("no-such-vllm",))
    order = RunOrder(load_suite(str(miniature.suite)), ArtifactStore(tmp_path), backend=backend, keep_going=True)
    with pytest.raises(UsageError, match="enough"):
        run_suite(order)
    assert reached and "'no-such-vllm' was not found" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("environment", "arguments", "said"),
    [
        ({}, ("--endpoint", "http://127.0.0.1:9"), "the engine at http://127.0.0.1:9 died or gives no usable answer"),
        ({"VEILBENCH_ENDPOINT": f"http://u:{SECRET}@127.0.0.1:9"}, (), "holds a user name, a password"),
        ({"HF_ENDPOINT": f"http://u:{SECRET}@127.0.0.1:9"}, (), "HF_ENDPOINT holds a user name, a password"),
        ({"HF_ENDPOINT": "http://127.0.0.1:99999"}, (), "HF_ENDPOINT has a port"),
    ],
)
def test_a_dry_run_says_it_too(
    miniature: Miniature, tmp_path: Path, environment: dict[str, str], arguments: tuple[str, ...], said: str
) -> None:
    planned = ("run", miniature.suite, "--dry-run", "--json", "--backend", "vllm", *arguments)
    finished = veilbench(*planned, folder=tmp_path, VEILBENCH_API_KEY=SECRET, **environment)
    assert finished.returncode in (1, 2) and finished.stdout == "" and said in finished.stderr
    assert SECRET not in finished.stderr and finished.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
