"""Values of models from fields that are known to be right."""

from collections.abc import Callable
from functools import cache
from typing import Any, ParamSpec, TypeVar

from schemas.base import Model

M = TypeVar("M", bound=Model)
P = ParamSpec("P")

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


def unvalidated(model: Callable[P, M], *_: P.args, **fields: P.kwargs) -> M:
    """``model(**fields)`` without its validation: the type checker has seen that the values are of the fields' types.

    For values that our own code made, dozens of them for each sample. Fields with a default factory have to be given.
    """
    return filled(model, _defaults(model) | fields, set(fields))  # type: ignore[arg-type]


@cache
def _defaults(model: type[Model]) -> dict[str, Any]:
    """Every field with its default, in the order in which they are written."""
    return {name: field.get_default() for name, field in model.model_fields.items()}
