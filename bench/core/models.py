"""The base of everything that is read from files: suites, recipes, scenarios, records."""

from pydantic import BaseModel, ConfigDict


class Strict(BaseModel):
    """Unknown fields, NaN and infinities are refused; an object does not change once made."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
