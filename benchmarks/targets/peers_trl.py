"""Fine-tuning a LLaVA checkpoint with TRL's SFTTrainer on the very questions that VeilBench's own fine-tuning draws."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.targets.base import Recipe, TrainingExample
from bench.targets.llava import LoadedLlava
from bench.targets.training.optimisation import make_optimiser
from bench.targets.training.rows import training_batches

if TYPE_CHECKING:
    from datasets import Dataset


def finetune_trl(
    model: LoadedLlava, examples: Sequence[TrainingExample], recipe: Recipe, seed: int, output: Path, at_once: int
) -> list[float]:
    """Fine-tune, save the adapter, and return the loss of every step; ``at_once`` sequences go through the model.

    ``examples`` must fill whole batches. The network is TRL's afterwards: load another one for anything else.
    """
    import torch
    from peft import get_peft_model
    from transformers import PrinterCallback
    from trl import SFTTrainer

    torch.manual_seed(seed)
    tuned = get_peft_model(model.network, model.lora(recipe))
    pairs = question_answer_pairs(model, examples, recipe, seed)
    steps = len(pairs) // sequences_a_step(recipe)
    trainer = SFTTrainer(
        model=tuned,
        args=settings(recipe, seed, output, at_once),
        train_dataset=pairs,
        processing_class=load_processor(model),
        optimizers=optimiser_and_schedule(model, tuned, recipe, steps),
    )
    trainer.remove_callback(PrinterCallback)
    trainer.train()
    trainer.save_model(str(output))
    return [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]


def sequences_a_step(recipe: Recipe) -> int:
    """Question-answer pairs of one step: the same as in a packed one, each a sequence of its own."""
    return recipe.batch_size * recipe.questions_per_photo


def settings(recipe: Recipe, seed: int, output: Path, at_once: int) -> Any:
    """The recipe as TRL says it; what would only slow a small float32 model down is off."""
    from trl import SFTConfig

    return SFTConfig(
        output_dir=str(output),
        num_train_epochs=1,  # the dataset holds every epoch's own draw, one after another
        per_device_train_batch_size=at_once,
        gradient_accumulation_steps=sequences_a_step(recipe) // at_once,
        max_grad_norm=recipe.gradient_clip,
        train_sampling_strategy="sequential",
        seed=seed,
        completion_only_loss=True,
        max_length=None,
        bf16=False,
        gradient_checkpointing=False,
        remove_unused_columns=False,
        dataloader_pin_memory=False,
        logging_steps=1,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        log_level="error",
    )


def question_answer_pairs(
    model: LoadedLlava, examples: Sequence[TrainingExample], recipe: Recipe, seed: int
) -> "Dataset":
    """Every (photo, question, answer) of every epoch, in the order in which the packed training shows them."""
    from datasets import Dataset
    from PIL import Image

    photos = [Image.open(io.BytesIO(example.images[0])).convert("RGB") for example in examples]
    rows = [
        {"photo": row.example, "prompt": asked(model, question), "completion": answered(model, answer)}
        for batch in training_batches(examples, recipe, seed)
        for row in batch
        for question, answer in row.conversations
    ]

    def with_photos(columns: dict[str, list[Any]]) -> dict[str, list[Any]]:
        shown = [[photos[number]] for number in columns["photo"]]
        return {"images": shown, "prompt": columns["prompt"], "completion": columns["completion"]}

    return Dataset.from_list(rows).with_transform(with_photos)


def asked(model: LoadedLlava, question: str) -> str:
    """The prompt; TRL tokenizes without special tokens, so that the first one is written out."""
    return f"{model.tokenizer.bos_token}{model.text.prompt(question)}"


def answered(model: LoadedLlava, answer: str) -> str:
    """The answer with what leads to it and what ends it."""
    return f"{model.answer_lead}{answer}{model.tokenizer.eos_token}"


def optimiser_and_schedule(model: LoadedLlava, tuned: Any, recipe: Recipe, steps: int) -> tuple[Any, Any]:
    """The recipe's AdamW and learning rates, as torch has schedules."""
    from torch.optim.lr_scheduler import LambdaLR

    optimiser = make_optimiser(model, tuned, recipe)
    for group in optimiser.param_groups:
        group["lr"] = group["peak"]

    def share(done: int) -> float:
        warm = min(1.0, (done + 1) / max(recipe.warmup_steps, 1))
        return warm * max(recipe.final_learning_rate_share, 1 - done / steps)

    return optimiser, LambdaLR(optimiser, share)


def load_processor(model: LoadedLlava) -> Any:
    """The checkpoint's own processor of photos and text."""
    from transformers import AutoProcessor

    return AutoProcessor.from_pretrained(model.folder)


def check_same_tokens(model: LoadedLlava, examples: Sequence[TrainingExample], recipe: Recipe, seed: int) -> None:
    """Raise AssertionError where TRL's collator makes other ids or labels of the first step than packed training."""
    from trl.trainer.sft_trainer import DataCollatorForVisionLanguageModeling

    collate = DataCollatorForVisionLanguageModeling(load_processor(model), completion_only_loss=True)
    step = question_answer_pairs(model, examples, recipe, seed)[: sequences_a_step(recipe)]
    made = collate([dict(zip(step, row, strict=True)) for row in zip(*step.values(), strict=True)])
    pairs = [pair for row in next(training_batches(examples, recipe, seed)) for pair in row.conversations]
    for pair, ids, labels, held in zip(pairs, made["input_ids"], made["labels"], made["attention_mask"], strict=True):
        branch = model.text.conversation(*pair)
        words = [token for token in ids[held.bool()].tolist() if token != model.image_token]
        assert words == [*model.text.before_image, *branch.tokens], f"TRL is shown other tokens for {pair}"
        learned = labels[labels != -100].tolist()
        assert learned == list(branch.tokens[-branch.learned :]), f"TRL learns other tokens for {pair}"
