"""Writes the example laboratory results beside this file: synthetic patients, spelt as laboratories spell theirs.

The positions and alleles come from the knowledge release named below, so that a genotype is what its named alleles say:

    python examples/make_examples.py

Sequence lengths: GRCh38 primary assembly (GCA_000001405.15) and the revised Cambridge Reference Sequence (NC_012920.1).
"""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from knowledge.loader import Releases
from knowledge.model import Definition, Position
from knowledge.release import Release

FOLDER = Path(__file__).parent
RELEASE = "2026.11"

CONTIGS = {
    "chr1": 248956422, "chr2": 242193529, "chr3": 198295559, "chr4": 190214555, "chr5": 181538259, "chr6": 170805979,
    "chr7": 159345973, "chr8": 145138636, "chr9": 138394717, "chr10": 133797422, "chr11": 135086622, "chr12": 133275309,
    "chr13": 114364328, "chr14": 107043718, "chr15": 101991189, "chr16": 90338345, "chr17": 83257441, "chr18": 80373285,
    "chr19": 58617616, "chr20": 64444167, "chr21": 46709983, "chr22": 50818468, "chrX": 156040895, "chrY": 57227415,
    "chrM": 16569,
}  # fmt: skip

WHOLE_PANEL = {
    "CYP2B6": ("*1", "*6"),
    "CYP2C19": ("*2", "*2"),
    "CYP2C9": ("*1", "*3"),
    "CYP3A5": ("*3", "*3"),
    "DPYD": ("Reference", "c.1905+1G>A (*2A)"),
    "NAT2": ("*5", "*6"),
    "SLCO1B1": ("*1", "*5"),
    "TPMT": ("*1", "*3A"),
    "UGT1A1": ("*1", "*80+*28"),
    "VKORC1": ("rs9923231 reference (C)", "rs9923231 variant (T)"),
}
"""The named alleles of the whole-panel patient; every other gene has its reference allele twice. CYP2C19's is *1."""
DEFAULTS = {"CYP2C19": "*1"}
READ_BACKED = {"CYP2B6", "TPMT", "UGT1A1"}
"""Genes whose heterozygous rows lie in one phase set: read-backed phasing reached that far."""
FAILED = {"rs28371685", "rs72549303", "rs34489327"}
"""Positions where the assay gave no call."""


@dataclass(frozen=True, slots=True)
class Row:
    """One VCF row of one sample."""

    chromosome: str
    position: Position
    indices: tuple[int, ...]
    phase_set: int | None


def bases(definition: Definition, allele: str, index: int) -> str:
    """What a named allele has at a position; where it says nothing, what the reference allele has."""
    named = {one.name: one for one in definition.alleles}
    position = definition.positions[index]
    for name in (allele, definition.reference):
        if name is not None and index in named[name].calls:
            possible = named[name].calls[index]
            return position.ref if position.ref in possible else possible[0]
    return position.ref


def rows(release: Release) -> Iterator[Row]:
    """Every position that the release knows, as the whole-panel patient (a woman) has it."""
    for symbol, gene in release.genes.items():
        definition = gene.definition
        default = DEFAULTS.get(symbol, definition.reference or "")
        pair = WHOLE_PANEL.get(symbol, (default, default))
        haploid = gene.chromosome == "chrM"
        found = []
        for index, position in enumerate(definition.positions):
            spelt = (position.ref, *position.alts)
            found.append((position, tuple(spelt.index(bases(definition, allele, index)) for allele in pair)))
        phase_set = next((place.pos for place, pair in found if symbol in READ_BACKED and len(set(pair)) > 1), None)
        for position, indices in found:
            phased = phase_set is not None and len(set(indices)) > 1
            spelt_as = indices if phased else tuple(sorted(indices))
            yield Row(gene.chromosome, position, spelt_as[:1] if haploid else spelt_as, phase_set if phased else None)
        for position in definition.extra_positions:
            yield Row(gene.chromosome, position, (0, 0), None)


def vcf_line(row: Row, noise: random.Random) -> str:
    """The row with depths and qualities such as a targeted panel at about 180-fold coverage has."""
    alleles = 1 + len(row.position.alts)
    depth = max(60, round(noise.gauss(180, 25))) * (6 if row.chromosome == "chrM" else 1)
    counts = [0] * alleles
    if row.position.rsid in FAILED:
        genotype, quality, depth = "./.", ".", 0
    else:
        first, last = row.indices[0], row.indices[-1]
        share = round(depth * min(0.58, max(0.42, noise.gauss(0.5, 0.03)))) if first != last else depth
        counts[first] += share
        counts[last] += depth - share
        genotype = ("/" if row.phase_set is None else "|").join(str(index) for index in row.indices)
        quality = str(min(99, 60 + depth // 4))
    sample = [genotype, ",".join(map(str, counts)), str(depth), quality]
    layout = "GT:AD:DP:GQ"
    if row.phase_set is not None:
        layout += ":PS"
        sample.append(str(row.phase_set))
    score = "." if row.position.rsid in FAILED else str(round(noise.gauss(900, 120), 1))
    fixed = [
        row.chromosome,
        str(row.position.pos),
        row.position.rsid or ".",
        row.position.ref,
        ",".join(row.position.alts),
    ]
    return "\t".join([*fixed, score, "PASS", f"DP={depth}", layout, ":".join(sample)])


def whole_panel(release: Release) -> str:
    """A germline panel VCF, with the header that variant callers write."""
    noise = random.Random(20261123)  # noqa: S311 - decides nothing that anyone would want to guess
    places = list(CONTIGS)
    unique = {(row.chromosome, row.position.pos): row for row in rows(release)}
    ordered = sorted(unique.values(), key=lambda row: (places.index(row.chromosome), row.position.pos))
    header = [
        "##fileformat=VCFv4.2",
        "##fileDate=20261123",
        "##source=PanelCaller-3.4.1",
        "##reference=GCA_000001405.15_GRCh38_no_alt_analysis_set.fna",
        *(f"##contig=<ID={name},length={length},assembly=GRCh38>" for name, length in CONTIGS.items()),
        '##FILTER=<ID=PASS,Description="All filters passed">',
        '##FILTER=<ID=LowDP,Description="Depth below 20">',
        '##INFO=<ID=DP,Number=1,Type=Integer,Description="Total read depth">',
        '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">',
        '##FORMAT=<ID=AD,Number=R,Type=Integer,Description="Read depth of each allele">',
        '##FORMAT=<ID=DP,Number=1,Type=Integer,Description="Read depth">',
        '##FORMAT=<ID=GQ,Number=1,Type=Integer,Description="Genotype quality (Phred)">',
        '##FORMAT=<ID=PS,Number=1,Type=Integer,Description="Phase set: position of its first heterozygous row">',
        "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tS-20261123-0417",
    ]
    return "\n".join([*header, *(vcf_line(row, noise) for row in ordered)]) + "\n"


PANEL = {
    "rs12248560": "0/1", "rs28399504": "0/0", "rs41291556": "0/0", "rs72552267": "0/0", "rs4986893": "0/0",
    "rs4244285": "0/0", "rs56337013": "0/0", "rs3758581": "1/1", "rs12769205": "0/0", "rs58973490": "0/0",
    "rs1799853": "0/1", "rs1057910": "0/0", "rs28371686": "0/0", "rs9332131": "./.", "rs7900194": "0/0",
    "rs9923231": "1/1",
    "rs776746": "0/1", "rs10264272": "0/0", "rs41303343": "./.",
    "rs4149056": "1/1", "rs2306283": "1/1", "rs11045819": "0/0",
    "rs2231142": "0/1",
    "rs116855232": "0/1",
    "rs1142345": "0/0", "rs1800460": "0/0", "rs1800462": "./.",
    "rs3918290": "0/0", "rs55886062": "0/0", "rs67376798": "0/1", "rs75017182": "0/0", "rs56038477": "0/0",
    "rs887829": "./.", "rs3064744": "./.",
}  # fmt: skip
"""A small genotyping panel, some variants of it without a call; everything else was not assessed."""


def genotyping_panel(release: Release) -> dict[str, object]:
    """What a laboratory with a SNP array publishes."""
    places = list(CONTIGS)
    known = {
        position.rsid: (gene.chromosome, position)
        for gene in release.genes.values()
        for position in gene.definition.positions
        if position.rsid in PANEL
    }
    ordered = sorted(PANEL, key=lambda rsid: (places.index(known[rsid][0]), known[rsid][1].pos))
    genotypes = []
    for rsid in ordered:
        chromosome, position = known[rsid]
        genotypes.append(
            {"chrom": chromosome, "pos": position.pos, "id": rsid, "ref": position.ref,
             "alt": list(position.alts), "gt": PANEL[rsid]}
        )  # fmt: skip
    return {
        "tenant": "mercy", "patient": "p-3c90d2", "accession": "GP-26-11872", "laboratory": "northside-array-lab",
        "status": "final", "version": 1, "issued": "2026-11-20T16:42:00+01:00", "assembly": "GRCh38", "sex": "male",
        "genotypes": genotypes,
    }  # fmt: skip


REPORTED = {
    "tenant": "mercy", "patient": "p-a81f07", "accession": "HX-0093312", "laboratory": "university-hla-lab",
    "status": "final", "version": 1, "issued": "2026-11-22T09:15:00Z", "assembly": "GRCh38", "sex": "female",
    "reported": [
        {"gene": "CYP2D6", "diplotype": "*4/*41"},
        {"gene": "CYP2C19", "diplotype": "*1/*17"},
        {"gene": "HLA-A", "diplotype": "*02:01/*31:01"},
        {"gene": "HLA-B", "diplotype": "*15:02/*57:01"},
        {"gene": "MT-RNR1", "diplotype": "m.1555A>G"},
        {"gene": "UGT1A1", "diplotype": "./."},
    ],
}  # fmt: skip
"""Calls made elsewhere: a CYP2D6 copy-number caller and an HLA typer; UGT1A1 was tried and could not be called."""

SECOND_LABORATORY = {
    "tenant": "mercy", "patient": "p-3c90d2", "accession": "D6-4471", "laboratory": "copy-number-lab",
    "status": "final", "version": 1, "issued": "2026-12-18T11:03:00+01:00", "assembly": "GRCh38", "sex": "male",
    "reported": [{"gene": "CYP2D6", "diplotype": "*1/*2x3"}],
}  # fmt: skip
"""A month later another laboratory adds CYP2D6 for the genotyping panel's patient: advice on both genes changes."""

MESSAGE = {
    "tenant": "mercy", "patient": "p-7f3a91", "accession": "ACC-0001", "laboratory": "acme-genomics",
    "status": "final", "version": 1, "issued": "2026-11-23T10:00:00Z", "assembly": "GRCh38",
    "reported": [{"gene": "CYP2C19", "diplotype": "*2/*2"}, {"gene": "CYP2D6", "diplotype": "*1/*4"}],
}  # fmt: skip
"""What any Kafka client can publish as it stands."""


def one_row_a_line(result: dict[str, object]) -> str:
    """A lab result laid out for people."""
    rows = ",\n    ".join(json.dumps(row) for row in result["genotypes"])  # type: ignore[attr-defined]
    head = json.dumps({name: value for name, value in result.items() if name != "genotypes"}, indent=2)
    return head.removesuffix("\n}") + f',\n  "genotypes": [\n    {rows}\n  ]\n}}\n'


def documents() -> dict[str, str]:
    """The files by their names."""
    release = Releases().load(RELEASE)
    return {
        "whole-panel.vcf": whole_panel(release),
        "genotyping-panel.json": one_row_a_line(genotyping_panel(release)),
        "reported-calls.json": json.dumps(REPORTED, indent=2) + "\n",
        "second-laboratory.json": json.dumps(SECOND_LABORATORY, indent=2) + "\n",
        "message.json": json.dumps(MESSAGE) + "\n",
    }


if __name__ == "__main__":
    for name, text in documents().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
