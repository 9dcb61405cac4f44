"""What every event model has in common."""

from pydantic import BaseModel, ConfigDict


class Model(BaseModel):
    """An immutable value on the bus. Unknown fields are ignored: events of a newer minor version stay readable.

    Every field is published, also one that has its default, and the schemas of what is published promise that.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        ser_json_inf_nan="null",
        use_attribute_docstrings=True,
        json_schema_serialization_defaults_required=True,
    )
