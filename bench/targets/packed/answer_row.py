"""One row of answers, the same for every backend."""

import math
from collections.abc import Sequence
from typing import Any

COLUMNS = ("request_id", "text", "choice", "option_logprobs", "status")


def answer_row(
    request_id: str, text: str, logprobs: Sequence[float], *, ended: bool, finite: bool = True
) -> dict[str, Any]:
    """The row of ``text`` and of the options' log-likelihoods.

    ``finite`` says whether every score that the text was chosen by is a finite number. What was chosen among others
    means nothing: an error, which counts neither as told nor as protected. ``ended``: the answer came to its end.
    """
    error = not finite or not all(math.isfinite(value) for value in logprobs)
    choice = -1 if error or not logprobs else max(range(len(logprobs)), key=logprobs.__getitem__)
    status = "error" if error else "ok" if ended and text else "invalid"
    return dict(zip(COLUMNS, (request_id, text, choice, list(logprobs), status), strict=True))
