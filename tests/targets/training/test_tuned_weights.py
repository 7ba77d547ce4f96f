"""Where the disk is full, no half of an adapter or a checkpoint is left."""

import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from miniature_world import environment_for

from bench.targets.base import Recipe, TargetSpec, TrainingExample

PROGRAM = """
import pickle, resource, sys
from pathlib import Path
from bench.core.errors import StoreFullError
from bench.core.progress import quiet
from bench.targets.packed.features import FeatureCache
from bench.targets.training.finetuning import finetune_packed
from bench.targets.llava import LoadedLlava

spec, examples, recipe, output, resume = pickle.loads(Path(sys.argv[1]).read_bytes())
model = LoadedLlava(spec)
sound = list[bytes]()

def report(done, total, note):
    # Until half of the steps files may grow; then the disk takes no file of more than 4 KiB.
    if done == total // 2:
        sound.extend(file.read_bytes() for file in resume.iterdir())
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))

try:
    finetune_packed(model, FeatureCache(None, ""), examples, recipe, 0, output, report, resume, 0.0)
except StoreFullError as error:
    print(error)
assert sound and sound == [file.read_bytes() for file in resume.iterdir()]
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
steps = []
left = sorted(output.iterdir())
told = lambda done, total, note: steps.append(done)
finetune_packed(model, FeatureCache(None, ""), examples, recipe, 0, output, told, resume, 0.0)
print(len(left), steps[0], sorted(file.name for file in output.iterdir()))
"""


@pytest.mark.slow
@pytest.mark.parametrize(("method", "file"), [("lora", "adapter_config.json"), ("full", "config.json")])
def test_a_full_disk_is_one_sentence_and_leaves_nothing_but_the_state(
    method: str, file: str, spec: TargetSpec, examples: list[TrainingExample], recipe: Recipe, tmp_path: Path
) -> None:
    (tmp_path / "output").mkdir()
    arguments = (spec, examples, replace(recipe, method=method), tmp_path / "output", tmp_path / "resume")
    (tmp_path / "arguments").write_bytes(pickle.dumps(arguments))
    command = [sys.executable, "-c", PROGRAM, str(tmp_path / "arguments")]
    done = subprocess.run(command, env=environment_for({}), capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    sentence, after = done.stdout.splitlines()
    assert sentence.startswith(f"The disk under {tmp_path / 'output'} is full") and sentence.endswith("run again.")
    assert after.startswith("0 3 [") and file in after
