"""What vLLM computes, computed with transformers: text and embeddings in, tokens and log-probabilities out."""

import base64
import copy
import io
from typing import Any

import torch
from fake_engine import FakeEngine

from bench.targets.packed.model import PackedModel


class FakeVllm:
    """Answers for the language model of ``model`` as it is now, and for adapters that ``engine`` loads.

    It knows nothing of photos: what it is not shown, it cannot say.
    """

    def __init__(self, model: PackedModel) -> None:
        self.model = model
        self.base = copy.deepcopy(model.network)
        self.tuned: dict[str, Any] = {}
        self.engine = FakeEngine(self.respond)

    def respond(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """The JSON of a chat completion with image embeddings, or of a completion with prompt embeddings."""
        with torch.inference_mode():
            network = self._network(body["model"], alone="prompt_embeds" in body)
            if "prompt_embeds" in body:
                return self._complete(network, [0], _tensor(body["prompt_embeds"]), body)
            image, text = body["messages"][0]["content"]
            shown = image["image_embeds"]
            return self._chat(network, _tensor(shown["image_embeds"] if isinstance(shown, dict) else shown), text, body)

    def _network(self, name: str, alone: bool) -> Any:
        if name not in self.engine.loaded:
            return self.base
        if name not in self.tuned:
            self.tuned[name] = _with_lora(copy.deepcopy(self.base), self.engine.loaded[name], alone)
        return self.tuned[name]

    def _chat(self, network: Any, image: torch.Tensor, text: Any, body: dict[str, Any]) -> dict[str, Any]:
        ids = self.model.tokenizer(text["text"]).input_ids
        place = ids.index(self.model.image_token)
        ids = [*ids[:place], *[self.model.image_token] * len(image), *ids[place + 1 :]]
        embedded = network.get_input_embeddings()(torch.tensor(ids))
        embedded[place : place + len(image)] = image
        return self._complete(network, ids, embedded, body)

    def _complete(self, network: Any, ids: list[int], embedded: torch.Tensor, body: dict[str, Any]) -> dict[str, Any]:
        scores = _logprobs(network, embedded)
        wanted = body.get("logprob_token_ids", [])
        first = {f"token_id:{token}": float(scores[-1, token]) for token in wanted}
        tokens: list[int] = []
        while len(tokens) < body["max_tokens"] and not (tokens and tokens[-1] in body.get("stop_token_ids", ())):
            words = network.get_input_embeddings()(torch.tensor(tokens, dtype=torch.long))
            tokens.append(int(_logprobs(network, torch.cat([embedded, words]))[-1].argmax()))
        listed = [{"token": token, "logprob": value} for token, value in first.items()]
        logprobs = {"content": [{"top_logprobs": listed}]} if "messages" in body else {"top_logprobs": [first]}
        choice = {"token_ids": tokens, "logprobs": logprobs if wanted else None}
        payload: dict[str, Any] = {"choices": [choice], "prompt_token_ids": ids}
        if "prompt_logprobs" in body:
            rows = [{str(token): {"logprob": float(row[token])}} for token, row in zip(ids[1:], scores, strict=False)]
            payload["prompt_logprobs"] = [None, *rows]
        return payload


def _logprobs(network: Any, embedded: torch.Tensor) -> torch.Tensor:
    inner = network.get_submodule("model.language_model")
    hidden = inner(inputs_embeds=embedded[None]).last_hidden_state[0]
    return torch.log_softmax(network.lm_head(hidden).float(), dim=-1)


def _with_lora(network: Any, folder: str, alone: bool) -> Any:
    """LoRA put in as vLLM does it: by the adapter's own names, on the whole or on the language model alone."""
    from peft import PeftModel

    if not alone:
        PeftModel.from_pretrained(network, folder)
        return network.eval()
    inner = torch.nn.Module()
    inner.model = network.model.language_model
    PeftModel.from_pretrained(inner, folder)
    return network.eval()


def _tensor(text: str) -> torch.Tensor:
    return torch.load(io.BytesIO(base64.b64decode(text)), weights_only=True)
