"""The two strands of a sample, as far as phase is known.

Specification: "Candidate strand sequences". Positions where the strands differ fall into units: what is phased without
a phase set (and half calls) is one unit, each phase set is one, each unphased position is one. Within a unit the
strands are tied together; between units every combination is possible. So n units give 2^n possible strands, and a
strand's complement is possible whenever the strand is. Nothing here enumerates them unless asked.
"""

from collections.abc import Iterator
from typing import NamedTuple

from services.genotyper.observation import Observation, SiteCall

Unit = tuple[tuple[int, str, str], ...]
"""Positions that are phased together, each with its base on side 0 and on side 1."""


class Strands(NamedTuple):
    """What is certain, and what depends on how the units lie to each other."""

    certain: tuple[tuple[int, str], ...]
    """Positions where both strands have the same base, other than the VCF reference."""
    units: tuple[Unit, ...]
    haploid: bool
    seen: int
    split: int
    """Positions of the units, as bits."""

    @property
    def effectively_phased(self) -> bool:
        """At most two different strands are possible."""
        return len(self.units) <= 1

    @property
    def whole(self) -> int:
        """All units as bits; a strand is a subset of it (the units that show side 1), its complement the other one."""
        return (1 << len(self.units)) - 1

    @property
    def reference_positions(self) -> int:
        """Positions where both strands have the VCF reference, as bits."""
        return self.seen & ~self.split & ~sum(1 << position for position, _ in self.certain)

    @property
    def listed(self) -> int:
        """Variants to look at where every possible strand is spelt out: strands times variants."""
        return (len(self.certain) + self.split.bit_count()) << len(self.units)

    def sides(self) -> Iterator[int]:
        """Every possible strand."""
        return iter(range(1 << len(self.units)))

    def bases(self, side: int) -> dict[int, str]:
        """The bases of one strand at every position that is not reference on both."""
        found = dict(self.certain)
        for number, unit in enumerate(self.units):
            one = side >> number & 1
            for position, first, second in unit:
                found[position] = second if one else first
        return found


def strands(observation: Observation, references: tuple[str, ...]) -> Strands:
    """Sorts the sample's bases into units."""
    certain: list[tuple[int, str]] = []
    fixed: list[tuple[int, str, str]] = []
    free: dict[object, list[tuple[int, str, str]]] = {}
    split = 0
    for site in observation.sites:
        first, second = site.first, site.second
        if second is None or first == second:
            if first != references[site.position]:
                certain.append((site.position, first))
            continue
        split |= 1 << site.position
        entry = (site.position, first, second)
        if site.effectively_phased:
            fixed.append(entry)
        else:
            free.setdefault(_unit(site), []).append(entry)
    units = [tuple(fixed)] if fixed else []
    units += [tuple(entries) for entries in free.values()]
    return Strands(tuple(certain), tuple(units), observation.haploid, observation.seen, split)


def _unit(site: SiteCall) -> object:
    return ("set", site.phase_set) if site.phased else ("position", site.position)
