"""Whether every value that one JSON Schema allows is accepted by another, for the JSON Schema that is used here."""

from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]

_AT_LEAST = ("minimum", "minLength", "minItems")
_AT_MOST = ("maximum", "maxLength", "maxItems")


def breaks(reader: Schema, writer: Schema) -> list[str]:
    """Where the writer may publish what the reader does not accept; empty where it is compatible."""
    return sorted(set(_Comparison(reader, writer).breaks(reader, writer, "$", ())))


class _Comparison:
    def __init__(self, reader: Schema, writer: Schema) -> None:
        self._reader, self._writer = reader, writer

    def breaks(self, reader: Schema, writer: Schema, path: str, seen: tuple[str, ...]) -> Iterator[str]:
        if "$ref" in writer and "$ref" in reader:
            pair = f"{reader['$ref']} {writer['$ref']}"
            if pair in seen:
                return
            seen = (*seen, pair)
        reader, writer = _resolved(self._reader, reader), _resolved(self._writer, writer)
        alternatives = reader.get("anyOf", [reader])
        for variant in writer.get("anyOf", [writer]):
            found = [list(self._one(alternative, variant, path, seen)) for alternative in alternatives]
            yield from min(found, key=len)

    def _one(self, reader: Schema, writer: Schema, path: str, seen: tuple[str, ...]) -> Iterator[str]:
        reader, writer = _resolved(self._reader, reader), _resolved(self._writer, writer)
        if not _types(writer) <= _types(reader):
            yield f"{path}: may be {sorted(_types(writer))}, accepted is {sorted(_types(reader))}"
            return
        allowed, possible = _values(reader), _values(writer)
        if allowed is not None and (possible is None or not possible <= allowed):
            yield f"{path}: may have other values than {sorted(allowed)}"
        if reader.get("pattern") not in (None, writer.get("pattern")):
            yield f"{path}: another pattern"
        for bounds, sign in ((_AT_LEAST, 1), (_AT_MOST, -1)):
            for bound in bounds:
                if bound in reader and (bound not in writer or sign * writer[bound] < sign * reader[bound]):
                    yield f"{path}: {bound}"
        yield from self._object(reader, writer, path, seen)
        yield from self._array(reader, writer, path, seen)

    def _object(self, reader: Schema, writer: Schema, path: str, seen: tuple[str, ...]) -> Iterator[str]:
        for name in reader.get("required", ()):
            if name not in writer.get("required", ()):
                yield f"{path}.{name}: may be missing"
        published = writer.get("properties", {})
        for name, field in reader.get("properties", {}).items():
            if name in published:
                yield from self.breaks(field, published[name], f"{path}.{name}", seen)
        yield from self._inner("additionalProperties", reader, writer, f"{path}.*", seen)

    def _array(self, reader: Schema, writer: Schema, path: str, seen: tuple[str, ...]) -> Iterator[str]:
        yield from self._inner("items", reader, writer, f"{path}[]", seen)
        for index, (one, other) in enumerate(
            zip(reader.get("prefixItems", ()), writer.get("prefixItems", ()), strict=False)
        ):
            yield from self.breaks(one, other, f"{path}[{index}]", seen)

    def _inner(self, keyword: str, reader: Schema, writer: Schema, path: str, seen: tuple[str, ...]) -> Iterator[str]:
        if isinstance(reader.get(keyword), dict):
            inner = writer.get(keyword, {})
            yield from self.breaks(reader[keyword], inner if isinstance(inner, dict) else {}, path, seen)


def _resolved(root: Schema, schema: Schema) -> Schema:
    while "$ref" in schema:
        target: Any = root
        for step in schema["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        schema = target
    return schema


_EVERYTHING = frozenset({"null", "boolean", "integer", "number", "string", "array", "object"})


def _types(schema: Schema) -> frozenset[str]:
    declared = schema.get("type")
    if declared is None:
        return _EVERYTHING
    types = {declared} if isinstance(declared, str) else set(declared)
    return frozenset(types | ({"integer"} if "number" in types else set()))


def _values(schema: Schema) -> set[str] | None:
    if "const" in schema:
        return {str(schema["const"])}
    return {str(value) for value in schema["enum"]} if "enum" in schema else None
