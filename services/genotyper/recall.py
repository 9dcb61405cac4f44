"""Stored observations called again under another release: its definitions, applied to rows that were kept.

Only rows at positions that the former release knew were kept. A position that only the new release knows counts as not
seen, and a gene that only it knows as not assayed: the laboratory's result itself has to come again for these. Rows are
kept without the laboratory's filters, so that warnings about these are taken over from the call as it was.
"""

from collections import Counter
from collections.abc import Iterable

from knowledge.model import Gene
from knowledge.release import Release
from schemas.genotype import GeneCall, ObservedGene
from schemas.lab_result import Genotype, Reported, Sex
from services.genotyper.options import Options
from services.genotyper.release_caller import Kept, ReleaseCaller
from services.genotyper.rows import PREPROCESSOR_WARNINGS, REPEATED

_ONE_READ = [1, 0]
"""Depths that contradict a heterozygous genotype."""


class Recaller:
    """Calls genes of one release again under another."""

    def __init__(self, before: Release, after: Release) -> None:
        self._before = before.genes
        self._after = after.genes
        self._caller = ReleaseCaller(after, Options())

    def call(self, call: GeneCall, observed: ObservedGene | None, sex: Sex) -> GeneCall:
        """The call of a gene that both releases have, from what was observed and what the laboratory reported.

        A call of which neither is kept stays as it is. Raises Rejected where a kept genotype is not valid VCF.
        """
        if observed is None and not call.reported:
            return call
        rows = [] if observed is None else list(_rows(self._before[call.gene], observed, _repeated(call)))
        again = self._caller.again(call.gene, rows, Kept(self._extras(call), _lines(call), sex))
        return _with_former_warnings(again, call)

    def _extras(self, call: GeneCall) -> tuple[tuple[str, str], ...]:
        gene = self._after[call.gene]
        names = {one.rsid or f"{gene.chromosome}:{one.pos}" for one in gene.definition.extra_positions}
        return tuple(sorted((name, bases) for name, bases in call.observed_variants.items() if name in names))


def _repeated(call: GeneCall) -> Counter[str]:
    """How often a row came after a usable one, by place."""
    warnings = (call.matched or call).warnings
    return Counter(one.position for one in warnings if one.code == REPEATED and one.position is not None)


def _rows(gene: Gene, observed: ObservedGene, repeated: Counter[str]) -> Iterable[Genotype]:
    """The rows that an observation is the compact form of."""
    listed = Counter(row[0] for row in observed.rows)
    # Where every listed row came after a usable one, that was a plain row, which is not listed.
    first = {pos for pos, times in listed.items() if times > repeated[f"{gene.chromosome}:{pos}"]}
    named = {*observed.absent, *first}
    if observed.reference_gt is not None:
        for position in gene.definition.positions:
            if position.pos not in named:
                yield Genotype(
                    chrom=gene.chromosome,
                    pos=position.pos,
                    ref=position.ref,
                    alt=list(position.alts),
                    gt=observed.reference_gt,
                )
    discarded = set(observed.discarded_by_depth)
    for pos, ref, alts, gt, phase_set in observed.rows:
        row = Genotype(chrom=gene.chromosome, pos=pos, ref=ref, alt=list(alts), gt=gt)
        if phase_set is not None:
            row["ps"] = phase_set
        if pos in discarded:
            discarded.discard(pos)
            row["ad"] = _ONE_READ
        yield row


def _lines(call: GeneCall) -> tuple[Reported, ...]:
    return tuple(
        Reported(gene=call.gene, diplotype=line.diplotype, phenotype=line.phenotype, activity_score=line.activity_score)
        for line in call.reported or ()
    )


def _with_former_warnings(again: GeneCall, call: GeneCall) -> GeneCall:
    former = tuple(one for one in call.warnings if one.code in PREPROCESSOR_WARNINGS)
    return again.model_copy(update={"warnings": (*again.warnings, *former)}) if former else again
