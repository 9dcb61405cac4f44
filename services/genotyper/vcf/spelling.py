"""Alleles of a record, spelt as the definitions spell them.

Laboratories write one and the same variant with more or fewer bases around it (``TGG>TAGG`` for ``T>TA``), and several
variants in one record. Without a reference sequence what can be done is done: bases that an allele shares with REF are
trimmed from both sides, and what is left is compared with the definition's alleles, trimmed the same way.
"""

from dataclasses import dataclass

from services.genotyper.panel import Site

DELETED = "*"
"""The position is gone, or part of a change that cannot be spelt within it."""


@dataclass(frozen=True, slots=True)
class Change:
    """Bases that an allele has in place of others, nothing shared at either end."""

    start: int
    removed: str
    inserted: str

    @property
    def end(self) -> int:
        """First position after the removed bases."""
        return self.start + len(self.removed)


def change(pos: int, ref: str, alt: str) -> Change:
    """What an allele changes: shared bases trimmed on the right, then on the left."""
    while ref and alt and ref[-1] == alt[-1]:
        ref, alt = ref[:-1], alt[:-1]
    while ref and alt and ref[0] == alt[0]:
        pos, ref, alt = pos + 1, ref[1:], alt[1:]
    return Change(pos, ref, alt)


def spell(site: Site, pos: int, ref: str, alt: str) -> str | None:
    """A record's allele as the position's definition spells it; None where it leaves the position unchanged."""
    if pos == site.pos and (ref == site.ref or alt.startswith("<") or alt == DELETED):
        return alt
    if alt.startswith("<") or alt == DELETED:
        return None
    made = change(pos, ref, alt)
    for known in site.alts:
        if change(site.pos, site.ref, known) == made:
            return known
    end = site.pos + len(site.ref)
    if not made.removed:
        # After its last base a position is changed only where the definition has an insertion there.
        inside = site.pos < made.start < end or (made.start == end and len(site.ref) == 1 and site.indel)
        return _written(site, made) if inside else None
    if made.end <= site.pos or made.start >= end:
        return None
    if len(made.removed) == len(made.inserted):
        return _substituted(site, made)
    return _written(site, made)


def _substituted(site: Site, made: Change) -> str:
    bases = list(site.ref)
    for offset, base in enumerate(made.inserted):
        if 0 <= made.start + offset - site.pos < len(bases):
            bases[made.start + offset - site.pos] = base
    return "".join(bases)


def _written(site: Site, made: Change) -> str:
    """The change written into the definition's reference bases, if it lies inside them."""
    start, end = made.start - site.pos, made.end - site.pos
    if start < 0 or end > len(site.ref) or site.ref[start:end] != made.removed:
        return DELETED
    return site.ref[:start] + made.inserted + site.ref[end:] or DELETED
