"""Values of models from fields that are known to be right."""

from typing import Any, TypeVar

from schemas.base import Model

M = TypeVar("M", bound=Model)

_new = object.__new__
_set = object.__setattr__


def filled(model: type[M], fields: dict[str, Any], given: set[str]) -> M:
    """A model of these fields, all of them, without validation; ``given`` are those that were not left to a default.

    What ``model_construct`` does, without its loop over the fields: some hundred times for each patient it would cost
    more than all lookups together.
    """
    made = _new(model)
    _set(made, "__dict__", fields)
    _set(made, "__pydantic_fields_set__", given)
    _set(made, "__pydantic_extra__", None)
    _set(made, "__pydantic_private__", None)
    return made
