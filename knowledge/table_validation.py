"""Whether the source tables hold together: what only they show, before a release is made of them."""

from collections.abc import Iterable, Iterator

from knowledge import compile_genes, keys
from knowledge.phenotypes import bins_of
from knowledge.sources import Tables
from knowledge.table_rows import RecordRow
from knowledge.validation import Finding, twice


def validate_tables(tables: Tables, served: Iterable[RecordRow]) -> list[Finding]:
    """What only the source tables show: rows of drugs, guidelines and records, and what a record says of itself.

    ``served`` are the records that the release at hand has.
    """
    return [
        *_tables(tables),
        *_doubts(tables),
        *(finding for record in tables.records for finding in _status(tables, record)),
        *(finding for record in served for finding in _labels(tables, record)),
    ]


def _tables(tables: Tables) -> Iterator[Finding]:
    guidelines = {row.id for row in tables.guidelines}
    drugs = {row.name for row in tables.drugs}
    releases = [row.release for row in tables.composition.releases]
    yield from twice("record", (row.id for row in tables.records))
    yield from twice("drug", (row.name for row in tables.drugs))
    yield from twice("guideline", (row.id for row in tables.guidelines))
    yield from twice("DPWG pair", (f"{row.drug} {row.gene}" for row in tables.dpwg_pairs))
    yield from twice("release", releases)
    for drug in tables.drugs:
        for guideline in sorted({i for ids in drug.guidelines.values() for i in ids} - guidelines):
            yield Finding("identity", drug.name, f"unknown guideline {guideline}")
    for pair in tables.dpwg_pairs:
        if pair.drug not in drugs or pair.id not in guidelines:
            yield Finding("identity", f"DPWG pair {pair.drug} {pair.gene}", "unknown drug or guideline")
    for symbol in sorted(tables.genes.keys() ^ tables.phenotypes.keys()):
        yield Finding("identity", symbol, "needs both a table of alleles and one of phenotypes")
    for symbol in sorted((tables.special.keys() | tables.composition.genes_since.keys()) - tables.genes.keys()):
        yield Finding("identity", symbol, "a special rule or a first release, but no table of alleles")
    for symbol, named in [(s, t.gene) for s, t in tables.genes.items()] + [
        (s, t.gene) for s, t in tables.research.items()
    ]:
        if symbol != named:
            yield Finding("identity", symbol, f"file of gene {named}")
    for row in tables.composition.releases:
        if row.follows is not None and row.follows not in releases:
            yield Finding("identity", row.release, f"follows unknown release {row.follows}")
    used = {
        keys.exception(tables.composition.exceptions, g, k)
        for r in tables.records
        for g, ks in r.genes.items()
        for k in ks
    }
    for gene, entries in tables.composition.exceptions.items():
        for key in entries:
            if (gene, key) not in used:
                yield Finding("key", gene, f"an exception for {key!r} that no record needs")


def _doubts(tables: Tables) -> Iterator[Finding]:
    """A doubt is about something that the tables have."""
    drugs = {row.name for row in tables.drugs}
    sources = {record.source for record in tables.records}
    yield from twice("doubt", (doubt.id for doubt in tables.doubts))
    for doubt in tables.doubts:
        alleles = [row for gene in doubt.genes if gene in tables.genes for row in tables.genes[gene].all_alleles()]
        unknown = {
            *(set(doubt.genes) - tables.genes.keys() - tables.research.keys()),
            *(set(doubt.drugs) - drugs),
            *(set(doubt.sources) - sources),
            *(set(doubt.alleles) - {row.name for row in alleles}),
            *(set(doubt.functions) - {row.function for row in alleles}),
        }
        for name in sorted(unknown):
            yield Finding("identity", f"doubt {doubt.id}", f"about unknown {name}")


def _status(tables: Tables, record: RecordRow) -> Iterator[Finding]:
    """Which releases serve a record fits its status: what the newest one serves is not superseded."""
    known = {row.release for row in tables.composition.releases}
    if not set(record.releases) <= known:
        yield Finding("identity", record.id, f"names unknown releases: {', '.join(record.releases)}")
    newest = tables.composition.releases[-1].release
    fits = {
        "current": bool(record.releases),
        "superseded": newest not in record.releases,
        "table-only": not record.releases,
    }
    if not fits[record.status]:
        releases = ", ".join(record.releases) or "none"
        yield Finding("identity", record.id, f"a {record.status} record cannot be in {releases}")


def _labels(tables: Tables, record: RecordRow) -> Iterator[Finding]:
    """The phenotypes that a record by score names for its readers are those of its scores."""
    if record.source == keys.BY_PHENOTYPE:
        return
    for symbol, row in record.genes.items():
        table = compile_genes.score_bins(tables.phenotypes[symbol]) if symbol in tables.phenotypes else ()
        means = {p for key in row if key.lstrip("≥")[:1].isdigit() for p in bins_of(key, table)} if table else set()
        said = set(record.phenotypes.get(symbol, ()))
        if means and means != said:
            yield Finding(
                "key", record.id, f"{symbol}: the scores mean {sorted(means)}, the record says {sorted(said)}"
            )
