"""A server is started, awaited and ended, whatever happens to us; a small stand-in plays vLLM."""

import http.client
import json
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench.core.errors import UsageError, VeilBenchError
from bench.targets.vllm.server import EngineModel, EngineSettings, running_engine

ROOT = Path(__file__).parents[3]
FAKE = (sys.executable, "-S", str(Path(__file__).parent / "fake_vllm.py"))
PATIENCE_SECONDS = 60

HOLD = """
import sys, time
from pathlib import Path
from bench.targets.vllm.server import EngineModel, EngineSettings, running_engine
model = EngineModel(Path("model"), "held", "float32", False, 0, 64, 1)
with running_engine(model, EngineSettings(command=tuple(sys.argv[2:]), stop_seconds=0.3), Path(sys.argv[1])) as url:
    print(url, flush=True)
    time.sleep(60)
"""
"""A program that holds a server until something happens to it."""


@pytest.fixture
def model(tmp_path: Path) -> EngineModel:
    """What is asked for; the stand-in never opens it."""
    return EngineModel(tmp_path / "model", "veilbench-0123", "float32", False, 12, 512, 2)


@pytest.fixture
def settings() -> EngineSettings:
    """The stand-in, and little patience."""
    return EngineSettings(command=FAKE, start_seconds=PATIENCE_SECONDS, stop_seconds=0.3)


@pytest.fixture
def report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the stand-in says what it was started with."""
    monkeypatch.setenv("FAKE_VLLM_REPORT", str(tmp_path / "report.json"))
    return tmp_path / "report.json"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A log in a folder that is not there yet."""
    return tmp_path / "logs" / "vllm.log"


def started(report: Path) -> dict[str, Any]:
    """What the stand-in was started with, once it is there."""
    assert_soon(report.exists)
    return json.loads(report.read_text())


def assert_soon(condition: Callable[[], bool]) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)


def is_gone(pid: int) -> bool:
    """Whether a process has ended; one that only waits to be collected has."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def assert_all_gone(report: Path) -> None:
    """Neither the server nor its child lives on."""
    pids = started(report)["pids"]
    assert_soon(lambda: all(is_gone(pid) for pid in pids))


def is_answering(url: str) -> bool:
    """Whether a server says that it is well."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=5)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except ConnectionRefusedError:
        return False
    finally:
        connection.close()


def value(arguments: list[str], flag: str) -> str:
    """What follows a flag."""
    return arguments[arguments.index(flag) + 1]


def test_a_server_answers_inside_the_block_and_is_gone_after_it(
    model: EngineModel, settings: EngineSettings, report: Path, log: Path
) -> None:
    with running_engine(model, settings, log) as url:
        assert is_answering(url) and url == f"http://127.0.0.1:{started(report)['port']}"
    assert not is_answering(url)
    assert_all_gone(report)
    assert log.read_text() == "starting\n"


def test_photos_come_as_embeddings_and_text_as_it_is(
    model: EngineModel, settings: EngineSettings, report: Path, log: Path
) -> None:
    with running_engine(model, replace(settings, arguments=("--seed", "7")), log):
        arguments = started(report)["arguments"]
    assert arguments[:2] == ["serve", str(model.folder)]
    assert arguments[-2:] == ["--seed", "7"]
    expected = {
        "--served-model-name": "veilbench-0123",
        "--dtype": "float32",
        "--max-model-len": "512",
        "--host": "127.0.0.1",
        "--generation-config": "vllm",
        "--chat-template-content-format": "string",
        "--max-lora-rank": "16",
        "--max-loras": "2",
        "--max-cpu-loras": "2",
    }
    assert {flag: value(arguments, flag) for flag in expected} == expected
    assert {"--enable-mm-embeds", "--enable-lora", "--enforce-eager"} <= set(arguments)
    assert "--enable-prompt-embeds" not in arguments
    template = Path(value(arguments, "--chat-template")).read_text()
    assert template == "{% for message in messages %}{{ message['content'] }}{% endfor %}\n"


def test_prompts_as_embeddings_without_adapters(
    model: EngineModel, settings: EngineSettings, report: Path, log: Path
) -> None:
    with running_engine(replace(model, prompt_embeds=True, max_lora_rank=0), settings, log):
        seen = started(report)
    assert "--enable-prompt-embeds" in seen["arguments"]
    assert not {"--enable-mm-embeds", "--enable-lora", "--chat-template"} & set(seen["arguments"])
    assert "VLLM_ALLOW_RUNTIME_LORA_UPDATING" not in seen["environment"]


def test_the_environment_keeps_a_server_on_the_processor_and_off_the_network(
    model: EngineModel, settings: EngineSettings, report: Path, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", "elsewhere")
    monkeypatch.setenv("VLLM_CPU_KVCACHE_SPACE", "8")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("VLLM_API_KEY", "of-another-server")
    with running_engine(model, settings, log):
        environment = started(report)["environment"]
    expected = {
        "VLLM_TARGET_DEVICE": "cpu",
        "VLLM_CPU_KVCACHE_SPACE": "8",
        "VLLM_CPU_OMP_THREADS_BIND": "nobind",
        "VLLM_ALLOW_RUNTIME_LORA_UPDATING": "1",
        "HF_HUB_OFFLINE": "1",
        "VLLM_NO_USAGE_STATS": "1",
        "DO_NOT_TRACK": "1",
    }
    assert {name: environment[name] for name in expected} == expected and "VLLM_API_KEY" not in environment
    shim, *others = environment["PYTHONPATH"].split(os.pathsep)
    assert (Path(shim) / "sitecustomize.py").exists() and others == ["elsewhere"]


def test_a_gpu_server_gets_neither_the_shim_nor_the_processors_arguments(
    model: EngineModel, settings: EngineSettings, report: Path, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHONPATH", raising=False)
    monkeypatch.setattr("torch.cuda.mem_get_info", lambda: (60, 80))
    with running_engine(model, replace(settings, device="cuda"), log):
        seen = started(report)
    assert not {"PYTHONPATH", "VLLM_TARGET_DEVICE"} & set(seen["environment"])
    assert "--enforce-eager" not in seen["arguments"]
    assert value(seen["arguments"], "--gpu-memory-utilization") == "0.675"


def test_the_command_comes_from_the_environment(
    model: EngineModel, report: Path, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VEILBENCH_VLLM", shlex.join(FAKE))
    with running_engine(model, EngineSettings(stop_seconds=0.3), log) as url:
        assert is_answering(url)


@pytest.mark.parametrize(("device", "package"), [("cpu", r"vllm-cpu==0\.32\.0"), ("cuda", "install vllm")])
def test_a_missing_command_says_how_to_get_it(
    model: EngineModel, log: Path, monkeypatch: pytest.MonkeyPatch, device: str, package: str
) -> None:
    monkeypatch.setenv("VEILBENCH_VLLM", "environment/bin/no-vllm")
    wanted = rf"'environment/bin/no-vllm' was not found.*{package}.*VEILBENCH_VLLM="
    with pytest.raises(UsageError, match=wanted), running_engine(model, EngineSettings(device=device), log):
        pass


def test_a_rank_beyond_vllm_is_refused(model: EngineModel, settings: EngineSettings, log: Path) -> None:
    with (
        pytest.raises(UsageError, match=r"lora_rank 600 .*\(512\)"),
        running_engine(replace(model, max_lora_rank=600), settings, log),
    ):
        pass


def test_an_early_end_gives_the_reason_and_the_log(
    model: EngineModel, settings: EngineSettings, report: Path, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_VLLM_MOOD", "broken")
    wanted = r"exit code 3 .*: ValueError: the weights are of another model \(log: .*vllm\.log\)$"
    with pytest.raises(VeilBenchError, match=wanted), running_engine(model, settings, log):
        pass
    assert "Engine core initialization failed" in log.read_text()


def test_the_time_limit_ends_the_server(
    model: EngineModel, settings: EngineSettings, report: Path, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_VLLM_MOOD", "late")
    wanted = r"within 2 seconds; it last said: starting \(log: "
    with pytest.raises(VeilBenchError, match=wanted), running_engine(model, replace(settings, start_seconds=2), log):
        pass
    assert_all_gone(report)


def test_a_port_taken_meanwhile_is_tried_again(
    model: EngineModel, settings: EngineSettings, report: Path, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_VLLM_MOOD", "crowded")
    with running_engine(model, settings, log) as url:
        assert is_answering(url)


def test_an_error_in_the_block_ends_a_server_that_ignores_sigterm(
    model: EngineModel, settings: EngineSettings, report: Path, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_VLLM_MOOD", "stubborn")
    with pytest.raises(ZeroDivisionError), running_engine(model, settings, log):
        raise ZeroDivisionError
    assert_all_gone(report)


def test_a_server_ends_with_a_watchdog_that_was_killed(
    model: EngineModel, settings: EngineSettings, report: Path, log: Path
) -> None:
    with running_engine(model, settings, log):
        server = started(report)["pids"][0]
        watchdog = int(Path(f"/proc/{server}/stat").read_text().rpartition(")")[2].split()[1])
        os.kill(watchdog, signal.SIGKILL)
    assert_all_gone(report)


def test_two_servers_get_two_ports_and_end_apart(
    model: EngineModel, settings: EngineSettings, report: Path, tmp_path: Path
) -> None:
    with running_engine(model, settings, tmp_path / "one.log") as one:
        with running_engine(model, settings, tmp_path / "two.log") as two:
            assert one != two and is_answering(one) and is_answering(two)
        assert is_answering(one) and not is_answering(two)


@pytest.fixture
def holder(tmp_path: Path, report: Path) -> Iterator["subprocess.Popen[str]"]:
    """Another process of ours, with a server up."""
    command = [sys.executable, "-c", HOLD, str(tmp_path / "held.log"), *FAKE]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("http://127.0.0.1:")
        yield process
        process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_signal_to_us_ends_the_server_and_its_child(
    holder: "subprocess.Popen[str]", report: Path, number: signal.Signals
) -> None:
    assert not any(is_gone(pid) for pid in started(report)["pids"])
    holder.send_signal(number)
    holder.wait(PATIENCE_SECONDS)
    assert_all_gone(report)


def test_ctrl_c_in_the_terminal_reaches_us_alone(holder: "subprocess.Popen[str]", report: Path) -> None:
    pids = started(report)["pids"]
    assert all(os.getpgid(pid) not in (os.getpgrp(), holder.pid) for pid in pids)
    assert all(os.getsid(pid) != os.getsid(holder.pid) for pid in pids)


def test_anothers_server_is_left_alone(
    holder: "subprocess.Popen[str]",
    model: EngineModel,
    settings: EngineSettings,
    report: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    theirs = started(report)
    monkeypatch.setenv("FAKE_VLLM_REPORT", str(tmp_path / "ours.json"))
    with running_engine(model, settings, tmp_path / "ours.log"):
        pass
    assert_all_gone(tmp_path / "ours.json")
    assert is_answering(f"http://127.0.0.1:{theirs['port']}")
    assert not any(is_gone(pid) for pid in theirs["pids"])


def test_a_server_hears_sigterm_though_we_held_signals_back(
    model: EngineModel, settings: EngineSettings, report: Path, log: Path
) -> None:
    masks: list[str] = []

    def start() -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
        with running_engine(model, settings, log):
            status = Path(f"/proc/{started(report)['pids'][0]}/status").read_text()
            masks.extend(line.split()[1] for line in status.splitlines() if line.startswith("SigBlk"))

    # In a thread, so that the mask of the tests themselves stays as it is.
    thread = threading.Thread(target=start)
    thread.start()
    thread.join(PATIENCE_SECONDS)
    assert [int(mask, 16) for mask in masks] == [0]
