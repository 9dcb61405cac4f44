"""The tables of the CPIC API that can be imported, as it answers them in JSON.

Columns of cpic-data, schema ``cpic`` (https://github.com/cpicpgx/cpic-data).
"""

from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

NO_VALUE = frozenset({None, "", "n/a"})


class ApiRow(BaseModel):
    """A row as the API answers it; columns that are not used here are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Embedded(ApiRow):
    """``drug(name)`` or ``guideline(name,url)``, where the request asked for them."""

    name: str
    url: str | None = None


class RecommendationRow(ApiRow):
    id: int
    drugid: str
    guidelineid: int | None = None
    lookupkey: dict[str, Any] | None = None
    implications: dict[str, str | None] | None = None
    drugrecommendation: str | None = None
    classification: str | None = None
    population: str | None = None
    comments: str | None = None
    version: int | None = None
    drug: Embedded | None = None
    guideline: Embedded | None = None

    def keys(self) -> dict[str, str] | None:
        """Key by gene; None where the row has none or one that is not a text."""
        found = {gene: key for gene, key in (self.lookupkey or {}).items() if isinstance(key, str)}
        return found if found and len(found) == len(self.lookupkey or {}) else None

    def text(self) -> str:
        """CPIC's own words: the recommendation, and its comments where there are any."""
        comments = self.comments if self.comments not in NO_VALUE else None
        return "\n".join(text.strip() for text in (self.drugrecommendation, comments) if text)

    def reference(self) -> str:
        return f"cpic-api:recommendation/{self.id}"


class AlleleRow(ApiRow):
    genesymbol: str
    name: str
    clinicalfunctionalstatus: str | None = None
    activityvalue: str | None = None


class DiplotypeRow(ApiRow):
    genesymbol: str
    diplotype: str
    generesult: str | None = None
    totalactivityscore: str | None = None


class BadTable(Exception):
    """A file is not such a table of the CPIC API."""


def read(
    recommendation: bytes, allele: bytes = b"[]", diplotype: bytes = b"[]"
) -> tuple[tuple[RecommendationRow, ...], tuple[AlleleRow, ...], tuple[DiplotypeRow, ...]]:
    """The three tables from their JSON. Raises BadTable that names table, row and column."""
    return (
        _rows("recommendation", RecommendationRow, recommendation),
        _rows("allele", AlleleRow, allele),
        _rows("diplotype", DiplotypeRow, diplotype),
    )


R = TypeVar("R", bound=ApiRow)


def _rows(name: str, model: type[R], content: bytes) -> tuple[R, ...]:
    try:
        return tuple(TypeAdapter(list[model]).validate_json(content))  # type: ignore[valid-type]
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BadTable(f"{name}: {where or 'file'}: {first['msg']}") from error
