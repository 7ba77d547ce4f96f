"""vLLM's server as a child process: started on a free port of this machine, awaited, and ended without a trace."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from bench.core.errors import UsageError, VeilBenchError
from bench.targets.base import LANGUAGE_LINEAR
from bench.targets.vllm.command import configured_command, found_program

HOST = "127.0.0.1"
PORT_TRIES = 5
SECONDS_BETWEEN_LOOKS = 0.1
SECONDS_FOR_AN_ANSWER = 5.0
SECONDS_BEYOND_GRACE = 10.0
PORT_TAKEN = "Address already in use"

HERE = Path(__file__).parent
VERBATIM_TEMPLATE = HERE / "verbatim.jinja"
"""A chat template that adds nothing: a message's text is the prompt."""

LORA_RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
"""The ranks that vLLM reserves room for."""

SHARE_OF_FREE_MEMORY = 0.9
"""What the server may take of the GPU memory that is free, so that the vision side in our process keeps some."""

SILENT = {"HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1"}
ON_CPU = {"VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_CPU_OMP_THREADS_BIND": "nobind", "OMP_NUM_THREADS": "1"}
"""Used where the environment says nothing else. GiB; threads are not tied to cores; one thread."""

MOST_LOGPROBS = 128
"""How many tokens of one place may be asked for."""

CPU_ARGUMENTS = ("--enforce-eager", "--max-num-seqs", "32")


@dataclass(frozen=True)
class EngineSettings:
    """How a server is run here; nothing of it decides a result.

    ``command`` may be a path into another virtual environment. ``arguments`` go to ``vllm serve`` after our own, and
    win. ``device`` is ``cpu`` or ``cuda``. ``stop_seconds``: how long a server may take to end by itself.
    """

    command: tuple[str, ...] = field(default_factory=configured_command)
    start_seconds: float = 600
    arguments: tuple[str, ...] = ()
    device: str = "cpu"
    stop_seconds: float = 10


@dataclass(frozen=True)
class EngineModel:
    """What a server serves: a checkpoint's folder under ``name``, in ``dtype``, with room for LoRA adapters.

    ``prompt_embeds``: prompts come as embeddings of all their tokens; else photos come as embeddings beside text.
    ``max_lora_rank`` is 0 where no adapter is served; ``adapters_at_once`` is how many may be loaded. ``with_tower``
    loads the vision tower although no photo is encoded, for models that are not whole without it.
    """

    folder: Path
    name: str
    dtype: str
    prompt_embeds: bool
    max_lora_rank: int
    max_model_len: int
    adapters_at_once: int
    with_tower: bool = False


@contextmanager
def running_engine(model: EngineModel, settings: EngineSettings, log: Path) -> Iterator[str]:
    """Serve ``model`` inside the block, whose value is the server's address, ``http://127.0.0.1:PORT``.

    What the server prints goes to the file ``log``, which stays. When the block is left, and when this process ends
    in whatever way, every process of the server ends too, and no other.

    Raises UsageError where the command is missing or the rank too high, and VeilBenchError where the server ends by
    itself or does not answer in time.
    """
    program = [found_program(settings.command, settings.device), *settings.command[1:]]
    log.parent.mkdir(parents=True, exist_ok=True)
    for tries_left in reversed(range(PORT_TRIES)):
        with _held_port() as port:
            command = [*program, *serve_arguments(model, settings), *_address(port), *settings.arguments]
            with _watched(command, _environment(model, settings), settings, log) as server:
                if _await_health(server, port, settings, log, may_move=tries_left > 0):
                    yield f"http://{HOST}:{port}"
                    return


def serve_arguments(model: EngineModel, settings: EngineSettings) -> list[str]:
    """What ``vllm`` is told, its address apart. Raises UsageError for a rank beyond what vLLM can serve."""
    # Without `--generation-config vllm` a checkpoint's own file could slip in a repetition penalty.
    arguments = [
        *("serve", str(model.folder.absolute()), "--served-model-name", model.name, "--dtype", model.dtype),
        *("--max-model-len", str(model.max_model_len), "--generation-config", "vllm", "--disable-uvicorn-access-log"),
        *("--max-logprobs", str(MOST_LOGPROBS)),
    ]
    if model.prompt_embeds:
        arguments += ["--enable-prompt-embeds"]
    else:
        # No photo is ever encoded here: at a limit of 0 the vision tower is not even loaded.
        images = {"image": int(model.with_tower), "video": 0}
        arguments += ["--enable-mm-embeds", "--limit-mm-per-prompt", json.dumps(images)]
        arguments += ["--chat-template", str(VERBATIM_TEMPLATE), "--chat-template-content-format", "string"]
    if model.max_lora_rank > 0:
        rank, adapters = reserved_rank(model.max_lora_rank), str(model.adapters_at_once)
        arguments += ["--enable-lora", "--max-lora-rank", str(rank)]
        # Left to itself, vLLM wraps the output layer too, and on a CPU two prompts that are scored together end it.
        arguments += ["--lora-target-modules", *LANGUAGE_LINEAR]
        arguments += ["--max-loras", adapters, "--max-cpu-loras", adapters]
    return arguments + (list(CPU_ARGUMENTS) if settings.device == "cpu" else _memory_arguments(settings))


def reserved_rank(rank: int) -> int:
    """The rank that vLLM reserves room for where one of at least ``rank`` is served. Raises UsageError beyond all."""
    fitting = [reserved for reserved in LORA_RANKS if reserved >= rank]
    if not fitting:
        raise UsageError(
            f"lora_rank {rank} is more than vLLM serves ({LORA_RANKS[-1]}): lower it, or answer with transformers"
        )
    return fitting[0]


def _memory_arguments(settings: EngineSettings) -> list[str]:
    if any(argument.startswith("--gpu-memory-utilization") for argument in settings.arguments):
        return []
    import torch

    free, total = torch.cuda.mem_get_info()
    return ["--gpu-memory-utilization", f"{SHARE_OF_FREE_MEMORY * free / total:.3f}"]


def _address(port: int) -> list[str]:
    return ["--host", HOST, "--port", str(port)]


def _environment(model: EngineModel, settings: EngineSettings) -> dict[str, str]:
    environment = {**os.environ, **SILENT}
    # It would want this key from us, who have that of VEILBENCH_API_KEY, if any.
    environment.pop("VLLM_API_KEY", None)
    if model.max_lora_rank > 0:
        environment["VLLM_ALLOW_RUNTIME_LORA_UPDATING"] = "1"
    if settings.device == "cpu":
        paths = [str(HERE / "cpu_shim"), *filter(None, [os.environ.get("PYTHONPATH")])]
        environment = {**ON_CPU, **environment, "VLLM_TARGET_DEVICE": "cpu", "PYTHONPATH": os.pathsep.join(paths)}
    return environment


@contextmanager
def _held_port() -> Iterator[int]:
    """A free port, kept from everyone else until the block is left, but for the server that is told its number.

    The server binds it as well, which Linux allows as long as only one of the two listens; elsewhere it is let go.
    """
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind((HOST, 0))
        port = holder.getsockname()[1]
        if sys.platform != "linux":
            holder.close()
        yield port


@contextmanager
def _watched(
    command: Sequence[str], environment: Mapping[str, str], settings: EngineSettings, log: Path
) -> Iterator["subprocess.Popen[bytes]"]:
    """The watchdog of a server that runs inside the block.

    The watchdog ends the server when we are gone; should the watchdog be gone first, we do.
    """
    watchdog = [sys.executable, "-I", str(HERE / "watchdog.py"), str(os.getpid()), str(settings.stop_seconds)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*watchdog, *command],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=output,
            # Ctrl-C in a terminal goes to its whole session: the server is ours to end, after its last answer.
            start_new_session=True,
        )
    assert process.stdin is not None and process.stdout is not None
    group = None
    try:
        group = int(process.stdout.readline() or 0)
        yield process
    finally:
        process.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            process.wait(settings.stop_seconds + SECONDS_BEYOND_GRACE)
        if group:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(group, signal.SIGKILL)
        process.stdout.close()


def _await_health(
    server: "subprocess.Popen[bytes]", port: int, settings: EngineSettings, log: Path, *, may_move: bool
) -> bool:
    """Wait until the server answers; False where its port was taken before it came to it and another may be tried."""
    deadline = time.monotonic() + settings.start_seconds
    while time.monotonic() < deadline:
        if server.poll() is not None:
            if may_move and PORT_TAKEN in log.read_text(encoding="utf-8", errors="replace"):
                return False
            raise VeilBenchError(
                f"vLLM ended with exit code {server.returncode} before it answered: {telling_line(log)} (log: {log})"
            )
        if _is_healthy(port):
            return True
        time.sleep(SECONDS_BETWEEN_LOOKS)
    raise VeilBenchError(
        f"vLLM did not answer within {settings.start_seconds:g} seconds; it last said: {telling_line(log)} (log: {log})"
    )


def _is_healthy(port: int) -> bool:
    # A proxy of the environment is for the world outside, and plain http.client asks none.
    connection = http.client.HTTPConnection(HOST, port, timeout=SECONDS_FOR_AN_ANSWER)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


LABELS = re.compile(r"^(\(\w+ pid=\d+\) *)?((DEBUG|INFO|WARNING|ERROR|CRITICAL) [\d-]+ [\d:.]+ \[[^]]*\] *)?")
CAUSE = re.compile(r"^[\w.]*(Error|Exception|Exit)\b.*|^.*\berror: .*")
LONGEST_LINE = 400
ECHOES = ("Engine core initialization failed", "See root cause above", "cancelled")


def telling_line(log: Path) -> str:
    """The line of a server's log that says most about its end: the last error of its own, else the last line."""
    lines = [LABELS.sub("", line).rstrip() for line in log.read_text(encoding="utf-8", errors="replace").splitlines()]
    causes = [
        number for number, line in enumerate(lines) if CAUSE.match(line) and not any(echo in line for echo in ECHOES)
    ]
    if not causes:
        return next((line.strip() for line in reversed(lines) if line.strip()), "nothing")
    found = lines[causes[-1]].strip()
    # pydantic says only in the next line what is wrong.
    after = lines[causes[-1] + 1 : causes[-1] + 2] if "validation error" in found else []
    return " ".join([found, *(line.strip() for line in after)])[:LONGEST_LINE]
