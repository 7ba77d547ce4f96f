"""What the engine is asked, and how its answers are read: as exact as transformers, not merely alike.

A checkpoint that vLLM knows is shown the projected image and the prompt's text (chat completions, image embeddings);
the likelihood of an option is read off the prompt's own log-probabilities. Where only the inner language model is
served, it is shown embeddings of the whole prompt (completions, prompt embeddings); vLLM refuses log-probabilities of
such a prompt, so that an option's tokens are asked for one by one behind each beginning that options share.
"""

import base64
import io
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.targets.packed.text import SHORTEST_LIMIT
from bench.targets.vllm.results import CompletionResult, Tokens

if TYPE_CHECKING:
    import torch

    from bench.targets.packed.model import PackedModel

CHAT = "/v1/chat/completions"
PLAIN = "/v1/completions"
GREEDY: Mapping[str, Any] = {
    "temperature": 0,
    "top_p": 1,
    "top_k": 0,
    "min_p": 0,
    "repetition_penalty": 1,
    "presence_penalty": 0,
    "frequency_penalty": 0,
    "return_token_ids": True,
    "return_tokens_as_token_ids": True,
}
"""Every one is named: what is left out is taken from the checkpoint's generation_config.json."""


@dataclass(frozen=True)
class Completion:
    """One request. ``body`` makes its JSON, the model's name left out, when it is sent: many images at once are large.

    ``scored`` are the last tokens of the prompt, whose log-probabilities are wanted.
    """

    path: str
    body: Callable[[], dict[str, Any]]
    scored: Tokens = ()


@dataclass(frozen=True)
class ShownPhoto:
    """What the language model is shown of a photo: ``image`` (image tokens, hidden) on the CPU, ``grid`` of patches."""

    image: "torch.Tensor"
    grid: tuple[int, int]


@dataclass(frozen=True)
class OptionScores:
    """The requests that tell the likelihood of each option, and how their results are put together."""

    completions: tuple[Completion, ...]
    read: Callable[[Sequence[CompletionResult]], list[float]]


class Asker(ABC):
    """Words questions for an engine, whose open answers have at most ``longest_answer`` tokens."""

    def __init__(self, model: "PackedModel", longest_answer: int = SHORTEST_LIMIT) -> None:
        self.model = model
        self.longest_answer = longest_answer

    @abstractmethod
    def answer(self, photo: ShownPhoto, question: str) -> Completion:
        """The greedy open answer."""

    @abstractmethod
    def first(self, photo: ShownPhoto, question: str, tokens: Sequence[int]) -> Completion:
        """Log-probabilities of ``tokens`` as the answer's first; at most 20."""

    @abstractmethod
    def scores(self, photo: ShownPhoto, question: str, options: Sequence[str]) -> OptionScores:
        """Natural log-likelihood of each whole option, its end included."""

    @abstractmethod
    def reads_as(self, photo: ShownPhoto, question: str) -> Tokens | None:
        """Ids that the engine must read the prompt as; None where it is shown no text."""

    def _greedy(self) -> dict[str, Any]:
        # The tokenizer's end alone would do for vLLM; what ends an answer is the model's to say.
        ends = {"ignore_eos": True, "stop_token_ids": sorted(self.model.end_tokens)}
        return {**GREEDY, **ends, "max_tokens": self.longest_answer}


class ImageAsker(Asker):
    """Asks a served vision-language model: image embeddings beside the text, its placeholder included, verbatim."""

    def answer(self, photo: ShownPhoto, question: str) -> Completion:
        """See the base class."""
        return Completion(CHAT, lambda: {**self._message(photo, question), **self._greedy()})

    def first(self, photo: ShownPhoto, question: str, tokens: Sequence[int]) -> Completion:
        """See the base class."""
        wanted = {"max_tokens": 1, "logprobs": True, "top_logprobs": len(tokens), "logprob_token_ids": list(tokens)}
        return Completion(CHAT, lambda: {**self._message(photo, question), **GREEDY, **wanted})

    def scores(self, photo: ShownPhoto, question: str, options: Sequence[str]) -> OptionScores:
        """See the base class."""
        return OptionScores(
            tuple(self._option(photo, question, option) for option in options),
            lambda results: [sum(result.scores) for result in results],
        )

    def _option(self, photo: ShownPhoto, question: str, option: str) -> Completion:
        wanted = {"max_tokens": 1, "prompt_logprobs": 0}
        return Completion(
            CHAT,
            lambda: {**self._message(photo, question, option), **GREEDY, **wanted},
            self.model.text.answer_tokens(question, option),
        )

    def reads_as(self, photo: ShownPhoto, question: str) -> Tokens | None:
        """See the base class."""
        image = (self.model.image_token,) * len(photo.image)
        return (*self.model.text.before_image, *image, *self.model.text.question(question).tokens)

    def _message(self, photo: ShownPhoto, question: str, option: str | None = None) -> dict[str, Any]:
        image: Any = encoded(photo.image)
        if self.model.planes > 1:
            image = {"image_embeds": image, "image_grid_thw": [1, *photo.grid]}
        content = [
            {"type": "image_embeds", "image_embeds": image},
            {"type": "text", "text": self.model.text.prompt(question, option)},
        ]
        # The template adds nothing, so that the tokenizer must add what it begins every text with.
        return {"messages": [{"role": "user", "content": content}], "add_special_tokens": True}


class EmbeddingAsker(Asker):
    """Asks a served language model alone: embeddings of everything up to where it answers."""

    def answer(self, photo: ShownPhoto, question: str) -> Completion:
        """See the base class."""
        return Completion(PLAIN, lambda: {**self._prompt(photo, question, ()), **self._greedy()})

    def first(self, photo: ShownPhoto, question: str, tokens: Sequence[int]) -> Completion:
        """See the base class."""
        return self._behind(photo, question, (), tokens)

    def scores(self, photo: ShownPhoto, question: str, options: Sequence[str]) -> OptionScores:
        """See the base class."""
        answers = [self.model.text.answer_tokens(question, option) for option in options]
        follow: dict[Tokens, dict[int, None]] = {}
        for tokens in answers:
            for place, token in enumerate(tokens):
                follow.setdefault(tokens[:place], {})[token] = None
        completions = tuple(self._behind(photo, question, begun, list(ids)) for begun, ids in follow.items())

        def read(results: Sequence[CompletionResult]) -> list[float]:
            known = {begun: result.next for begun, result in zip(follow, results, strict=True)}
            # What the engine leaves out is not known, and then the option's likelihood is not.
            return [
                sum(known[tokens[:place]].get(token, math.nan) for place, token in enumerate(tokens))
                for tokens in answers
            ]

        return OptionScores(completions, read)

    def _behind(self, photo: ShownPhoto, question: str, begun: Tokens, tokens: Sequence[int]) -> Completion:
        """Log-probabilities of ``tokens`` behind the prompt and ``begun``, the first tokens of an answer."""
        wanted = {"max_tokens": 1, "logprobs": len(tokens), "logprob_token_ids": list(tokens)}
        return Completion(PLAIN, lambda: {**self._prompt(photo, question, begun), **GREEDY, **wanted})

    def reads_as(self, photo: ShownPhoto, question: str) -> Tokens | None:
        """See the base class."""
        return None

    def _prompt(self, photo: ShownPhoto, question: str, begun: Tokens) -> dict[str, Any]:
        import torch

        model = self.model
        ids = (*model.text.before_image, *model.text.question(question).tokens, *begun)
        words = model.embed_tokens(torch.tensor([ids]))[0].detach().cpu()
        before = len(model.text.before_image)
        return {"prompt_embeds": encoded(torch.cat([words[:before], photo.image.to(words.dtype), words[before:]]))}


def asker_for(model: "PackedModel", longest_answer: int = SHORTEST_LIMIT) -> Asker:
    """The way in which ``model``'s engine is asked."""
    return (EmbeddingAsker if served_alone(model) else ImageAsker)(model, longest_answer)


def served_alone(model: "PackedModel") -> bool:
    """Whether vLLM serves the language model alone, because it does not know the whole."""
    return model.prompt_embeds


def encoded(tensor: "torch.Tensor") -> str:
    """A tensor as vLLM reads it: ``torch.save`` in base64."""
    import torch

    buffer = io.BytesIO()
    # A view would be saved with everything that it is a view of.
    torch.save(tensor.detach().cpu().clone(), buffer)
    return base64.b64encode(buffer.getvalue()).decode("ascii")
