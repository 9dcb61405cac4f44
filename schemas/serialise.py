"""The one canonical way from a model to bytes: on the bus, in ``pgx evaluate`` and in the store."""

from schemas.base import Model


def to_json(model: Model) -> bytes:
    """UTF-8 JSON in the model's field order, without spaces; the same value gives the same bytes, always."""
    return model.__pydantic_serializer__.to_json(model)
