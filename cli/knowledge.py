"""``pgx knowledge``: which releases of facts are installed, what is in one, and what differs between two."""

from typing import TYPE_CHECKING, Annotated

import orjson
import typer

from cli.environment import APPEARANCE
from cli.exits import Failure
from cli.knowledge_diff import Difference, compare
from cli.table import write_table
from cli.terminal import say, write_line
from runtime.exits import Exit

if TYPE_CHECKING:
    from knowledge.model import Allele, Gene, Rule
    from knowledge.release import Release

app = typer.Typer(help="Releases of facts: alleles, phenotype rules, guidelines.", no_args_is_help=True, **APPEARANCE)

AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]


def load(release: str) -> "Release":
    """An installed release. Raises ``Failure`` (not found) with the ones that are."""
    from knowledge.loader import Releases, UnknownRelease

    releases = Releases()
    try:
        return releases.load(release)
    except UnknownRelease:
        raise Failure(
            Exit.NOT_FOUND,
            f"there is no knowledge release {release} here",
            f"Installed: {', '.join(releases.ids())}.",
        ) from None


@app.command("list")
def list_releases(as_json: AsJson = False) -> None:
    """Show the installed releases, the newest last."""
    from knowledge.loader import Releases

    releases = Releases()
    loaded = [releases.load(identifier) for identifier in releases.ids()]
    if as_json:
        for release in loaded:
            write_line(orjson.dumps(_summary(release)))
        return
    columns = ("release", "in_force", "genes", "drugs", "rules", "sha256")
    write_table(columns, [[str(_summary(release)[column]) for column in columns] for release in loaded])


def _summary(release: "Release") -> dict[str, object]:
    return {
        "release": release.id, "in_force": release.manifest.in_force, "description": release.manifest.description,
        "genes": len(release.genes), "drugs": len(release.drugs), "rules": len(release.rules), "sha256": release.sha256,
    }  # fmt: skip


@app.command("show")
def show(
    release: Annotated[str, typer.Argument(help="Release, such as 2026.11.")],
    gene: Annotated[str | None, typer.Option(help="Show this gene: its alleles with their functions.")] = None,
    drug: Annotated[str | None, typer.Option(help="Show this drug: every rule about it.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show what is in a release: its sources, or one gene or drug of it."""
    loaded = load(release)
    if gene is not None and gene not in loaded.genes:
        raise Failure(Exit.NOT_FOUND, f"release {release} has no gene {gene}", f"It has {', '.join(loaded.genes)}.")
    rules = [rule for rule in loaded.rules if drug is not None and rule.drug == drug.lower()]
    if drug is not None and not rules:
        raise Failure(Exit.NOT_FOUND, f"release {release} says nothing about a drug {drug}")
    if gene is not None:
        _show_gene(loaded.genes[gene], as_json)
    if drug is not None:
        _show_rules(rules, as_json)
    if gene is None and drug is None:
        _show_release(loaded, as_json)


def _show_release(release: "Release", as_json: bool) -> None:
    manifest = release.manifest
    if as_json:
        write_line(orjson.dumps(_summary(release) | {
            "sources": manifest.sources, "licences": manifest.licences, "gene_symbols": list(release.genes),
        }))  # fmt: skip
        return
    write_line(f"{release.id}  in force {manifest.in_force}  sha256 {release.sha256}")
    write_line(manifest.description)
    write_table(
        ("gene", "alleles", "positions", "called by", "phenotype by", "definition"),
        [
            (symbol, str(len(gene.definition.alleles)), str(len(gene.definition.positions)), gene.definition.matching,
             gene.phenotype.method, gene.definition.version)
            for symbol, gene in release.genes.items()
        ],
    )  # fmt: skip
    for title, lines in (("sources", manifest.sources), ("licences", manifest.licences)):
        write_line(f"{title}:")
        for line in lines:
            write_line(f"  {line}")


def _show_gene(gene: "Gene", as_json: bool) -> None:
    if as_json:
        write_line(gene.model_dump_json())
        return
    alleles = [_allele(gene, allele) for allele in gene.definition.alleles]
    write_table(("allele", "function", "activity", "defined by"), alleles)


def _allele(gene: "Gene", allele: "Allele") -> tuple[str, str, str, str]:
    if allele.name == gene.definition.reference:
        defined = "reference"
    else:
        places = [gene.definition.positions[index] for index in allele.calls]
        bases = ["/".join(one) for one in allele.calls.values()]
        defined = " ".join(f"{place.rsid or place.pos}:{base}" for place, base in zip(places, bases, strict=True))
    return allele.name, allele.function or "", allele.activity_value or "", defined or "reported only"


def _show_rules(rules: list["Rule"], as_json: bool) -> None:
    if as_json:
        for rule in rules:
            write_line(rule.model_dump_json())
        return
    write_table(("source", "population", "genes", "actions", "strength", "rule"), [_rule(rule) for rule in rules])


def _rule(rule: "Rule") -> tuple[str, ...]:
    genes = "; ".join(f"{gene} {' | '.join(keys)}" for gene, keys in rule.genes.items())
    return rule.source, rule.population, genes, ", ".join(rule.actions), rule.strength, rule.id


@app.command("diff")
def diff(
    old: Annotated[str, typer.Argument(help="The release to compare from.")],
    new: Annotated[str, typer.Argument(help="The release to compare to.")],
    as_json: AsJson = False,
) -> None:
    """Show what differs between two releases: genes, alleles, functions, rules."""
    differences = compare(load(old), load(new))
    if as_json:
        for difference in differences:
            write_line(orjson.dumps(difference._asdict()))
        return
    write_table(Difference._fields, [[part or "" for part in difference] for difference in differences])
    say(_totals(differences))


def _totals(differences: tuple[Difference, ...]) -> str:
    counts: dict[tuple[str, str], int] = {}
    for difference in differences:
        counts[difference.kind, difference.change] = counts.get((difference.kind, difference.change), 0) + 1
    parts = [f"{kind}: {number} {change}" for (kind, change), number in sorted(counts.items())]
    return "; ".join(parts) or "no difference"
