"""Data-parallel training on the processor's cores: one single-threaded process a core, gradients averaged."""

import os
import socket
from collections.abc import Callable
from typing import Any

OPEN_MP = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "0"}


def train_in_parallel(train: Callable[..., None], workers: int, *arguments: Any) -> None:
    """Call ``train(rank, workers, *arguments)`` in ``workers`` processes that can average gradients."""
    from torch.multiprocessing.spawn import spawn

    os.environ.update(OPEN_MP)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    spawn(_worker, (workers, port, train, arguments), nprocs=workers)


def _worker(rank: int, workers: int, port: int, train: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    import torch
    import torch.distributed

    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo", init_method=f"tcp://127.0.0.1:{port}", rank=rank, world_size=workers)
    train(rank, workers, *arguments)
    torch.distributed.destroy_process_group()


def average_gradients(parameters: list[Any], workers: int) -> None:
    """Replace each gradient by its mean over the processes; a missing one counts as zero."""
    import torch
    import torch.distributed

    for parameter in parameters:
        if parameter.grad is None:
            parameter.grad = torch.zeros_like(parameter)
    flat = torch.cat([parameter.grad.flatten() for parameter in parameters])
    torch.distributed.all_reduce(flat)
    flat /= workers
    at = 0
    for parameter in parameters:
        size = parameter.numel()
        parameter.grad.copy_(flat[at : at + size].view_as(parameter))
        at += size
