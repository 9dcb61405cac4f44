"""Results that contradict each other about one gene. Pure.

Genes do not change: where two results that are both usable leave no diplotype in common, one of them is wrong, or a
sample was mixed up. Results of the same standing are compared, as a preliminary one does not stand against a final one.

- A diplotype that one result could not have seen contradicts nothing: where all alleles that are only in the other
  result are among those its missing positions make uncallable.
- Where a result gives a phenotype or score alone, keys and phenotypes are compared in place of diplotypes.
- One allele reported alone (HLA typing of a single allele) fits every pair that holds it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations

from schemas.finding import Finding, FindingKind, Significance
from schemas.genotype import CallStatus, GeneCall
from schemas.phenotype import Phenotype, ResultNote
from schemas.warning import Warning
from services.recommender import confidence

Pair = tuple[str, ...]
"""The alleles of a diplotype, sorted."""


class Policy(StrEnum):
    """What is done where results of a patient contradict each other. Stable codes."""

    NEWEST = "newest"
    """The newest final result with the better coverage speaks, and what it says is marked as less sure."""
    BLOCK = "block"
    """The gene says nothing until the laboratories have settled it."""


@dataclass(frozen=True, slots=True)
class Voice:
    """What one result says about one gene."""

    note: ResultNote
    preliminary: bool
    call: GeneCall
    phenotypes: tuple[Phenotype, ...]

    @property
    def usable(self) -> bool:
        """Whether it says what the gene is; a no-call that one decisive variant gave a phenotype does."""
        called = (CallStatus.CALLED, CallStatus.AMBIGUOUS, CallStatus.REPORTED)
        return bool(self.phenotypes) or self.call.status in called

    @property
    def pairs(self) -> frozenset[Pair]:
        """The diplotypes that it leaves possible; none where only a phenotype or score is known."""
        named = [one.alleles for one in self.call.diplotypes]
        if self.call.status is not CallStatus.NO_CALL:
            named = named or [one.alleles for one in self.phenotypes]
        return frozenset(tuple(sorted(alleles)) for alleles in named if alleles)

    @property
    def meaning(self) -> str:
        """``*2/*2 (Poor Metabolizer)``."""
        named: list[str | None] = [one.label for one in self.call.diplotypes]
        named = named or [one.diplotype for one in self.phenotypes]
        called = " or ".join(dict.fromkeys(filter(None, named)))
        meanings = (one.phenotype or one.activity_score for one in self.phenotypes)
        meant = " or ".join(dict.fromkeys(filter(None, meanings)))
        return f"{called} ({meant})" if called and meant else called or meant or self.call.status.value

    def blind_to(self, other: "Voice") -> bool:
        """Whether it could not have seen what ``other`` found beyond it."""
        found, own = ({allele for pair in voice.pairs for allele in pair} for voice in (other, self))
        unseen = found - own
        return bool(unseen) and unseen <= set(self.call.uncallable_haplotypes)


def contradict(one: Voice, other: Voice) -> bool:
    """Whether at most one of two results can be right about the gene."""
    if not (one.usable and other.usable) or one.blind_to(other) or other.blind_to(one):
        return False
    if one.pairs and other.pairs:
        return not any(_fit(pair, another) for pair in one.pairs for another in other.pairs)
    meanings = (_keys(one), _keys(other))
    return all(meanings) and meanings[0].isdisjoint(meanings[1])


def discordant(voices: Sequence[Voice]) -> tuple[Voice, ...]:
    """The results of the best standing, where any two of them contradict each other; else none."""
    usable = [voice for voice in voices if voice.usable]
    settled = [voice for voice in usable if not voice.preliminary] or usable
    if not any(contradict(one, other) for one, other in combinations(settled, 2)):
        return ()
    return tuple(sorted(settled, key=lambda voice: (voice.note.laboratory, voice.note.accession)))


def warning(voices: Iterable[Voice]) -> Warning:
    """What is said beside a call that others contradict."""
    return Warning(code=confidence.DISCORDANT, message=f"{confidence.CONTRADICTED}: {_sides(voices)}")


def blocked(gene: str, remark: Warning) -> GeneCall:
    """The call of a gene that says nothing, for the reason that ``remark`` gives."""
    return GeneCall(gene=gene, status=CallStatus.NO_CALL, reason=remark.code, warnings=(remark,))


def finding(gene: str, voices: Sequence[Voice], policy: Policy) -> Finding:
    """The contradiction as it is published."""
    decided = {
        Policy.NEWEST: "The newest final result with the better coverage speaks for the gene until this is settled.",
        Policy.BLOCK: "The gene counts as not called until this is settled.",
    }[policy]
    return Finding(
        finding=f"{FindingKind.DISCORDANCE}-{gene}",
        condition=f"contradicting results of {gene}",
        significance=Significance.POSSIBLE,
        gene=gene,
        phenotype=" or ".join(
            dict.fromkeys(one.phenotype for voice in voices for one in voice.phenotypes if one.phenotype)
        ),
        diplotype=" or ".join(dict.fromkeys(d.label for voice in voices for d in voice.call.diplotypes)) or None,
        meaning=f"{_sides(voices)}. Genes do not change: one of these results is wrong, or a sample was mixed up.",
        care=("Ask the laboratories which result holds; test again from a new sample where they cannot say.", decided),
        limits=("It does not show which of the results is wrong.",),
        references=(),
        confidence=confidence.REDUCED,
        confidence_reasons=(f"{gene}: {confidence.CONTRADICTED}",),
        results=tuple(voice.note for voice in voices),
        preliminary=any(voice.preliminary for voice in voices),
        kind=FindingKind.DISCORDANCE,
    )


def _sides(voices: Iterable[Voice]) -> str:
    return "; ".join(
        f"{voice.note.accession} of {voice.note.laboratory} ({voice.note.issued[:10]}) says {voice.meaning}"
        for voice in voices
    )


def _fit(one: Pair, other: Pair) -> bool:
    return one == other or (len(one) == 1 and one[0] in other) or (len(other) == 1 and other[0] in one)


def _keys(voice: Voice) -> frozenset[str]:
    """What the gene comes to, in the words of guideline tables."""
    found = {one.phenotype for one in voice.phenotypes if one.phenotype}
    for one in voice.phenotypes:
        keys = (one.lookup_key,) if isinstance(one.lookup_key, str) else one.lookup_key or ()
        found.update(keys)
    return frozenset(found)
