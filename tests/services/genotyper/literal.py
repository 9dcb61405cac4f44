"""The matching rules written down literally, strand by strand; shared with the implementation are only the inputs.

Slow and simple: every possible strand is spelt out. Sections are those of the specification of the reference
implementation's behaviour: 3.2 to 3.8 and the list of path C in 4.1.
"""

import re
from dataclasses import dataclass
from functools import cmp_to_key
from itertools import combinations_with_replacement

from knowledge.model import Gene

Sequence = tuple[str, ...]


@dataclass(frozen=True)
class Seen:
    """A usable genotype: both bases (the second None for a haploid one), phase and phase set."""

    first: str
    second: str | None
    phased: bool
    phase_set: int | None = None

    @property
    def settled(self) -> bool:
        heterozygous = self.second is not None and "." not in (self.first, self.second) and self.first != self.second
        return (self.phased and self.phase_set is None) or not heterozygous


Sample = dict[int, Seen]
"""By column of the gene's definition."""

Answer = list[tuple[tuple[str, ...], int]]
"""Diplotypes with their scores, in order."""


def possible_strands(sample: Sample) -> set[Sequence]:
    """3.4: extend every partial strand position by position, from either side."""
    found: set[Sequence] = set()
    columns = sorted(sample)
    haploid = all(sample[c].second is None for c in columns)
    for strand in (0, 1):
        if haploid and strand == 1:
            continue
        partial: list[tuple[Sequence, dict[int, int]]] = [((), {})]
        for column in columns:
            seen = sample[column]
            sides = (seen.first, seen.second if seen.second is not None else seen.first)
            longer = []
            for sequence, chosen in partial:
                if seen.settled or haploid:
                    longer.append(((*sequence, sides[strand]), chosen))
                elif seen.phased and seen.phase_set is not None and seen.phase_set in chosen:
                    longer.append(((*sequence, sides[chosen[seen.phase_set]]), chosen))
                else:
                    for side in (0, 1):
                        remembered = chosen | {seen.phase_set: side} if seen.phased and seen.phase_set else chosen
                        longer.append(((*sequence, sides[side]), remembered))
            partial = longer
        found |= {sequence for sequence, _ in partial}
    return found


def complementary(first: Sequence, second: Sequence, sample: Sample) -> bool:
    """3.6: at each position the same base exactly where the sample is homozygous."""
    homozygous = [sample[c].first == sample[c].second for c in sorted(sample)]
    return all((a == b) == same for a, b, same in zip(first, second, homozygous, strict=True))


class Literal:
    def __init__(self, gene: Gene) -> None:
        self.gene = gene
        self.reference = gene.definition.reference
        hidden = {a.public_name for a in gene.definition.alleles if a.public_name not in (None, a.name)}
        self.cells = {a.name: a.calls for a in gene.definition.alleles if a.calls and a.name not in hidden}
        self.printed = {a.name: a.public_name or a.name for a in gene.definition.alleles}

    def restricted(self, sample: Sample) -> dict[str, dict[int, tuple[str, ...]]]:
        """3.2: only cells at positions that were seen; alleles without any are left out."""
        cut = {name: {c: b for c, b in cells.items() if c in sample} for name, cells in self.cells.items()}
        complete = len(sample) == len(self.gene.definition.positions)
        return {name: cells for name, cells in cut.items() if complete or cells}

    def filled(self, cells: dict[int, tuple[str, ...]], sample: Sample) -> list[tuple[str, ...]]:
        """3.3: blanks take the reference allele's base."""
        own = self.cells[self.reference]
        row = []
        for column in sorted(sample):
            if column in cells:
                row.append(cells[column])
            elif column in own and len(own[column]) == 1:
                row.append(own[column])
            else:
                row.append((self.gene.definition.positions[column].ref,))
        return row

    def standard(self, sample: Sample) -> Answer:
        """3.2 to 3.7: every matching diplotype with its score, best first."""
        alleles = self.restricted(sample)
        strands = possible_strands(sample)
        matched = {}
        for name, cells in alleles.items():
            row = self.filled(cells, sample)
            fits = {s for s in strands if all(base in cell for base, cell in zip(s, row, strict=True))}
            if fits:
                matched[name] = fits
        ordered = sorted(matched, key=cmp_to_key(compare_names))
        haploid = all(seen.second is None for seen in sample.values())
        answer = []
        if len(strands) == 1:
            if haploid and len(ordered) == 1:
                return [((ordered[0],), self.haplotype_score(ordered[0], alleles, strands, sample))]
            for a, b in combinations_with_replacement(ordered, 2):
                scores = [self.haplotype_score(name, alleles, strands, sample) for name in (a, b)]
                answer.append(((a, b), sum(scores)))
        else:
            for a, b in combinations_with_replacement(ordered, 2):
                if a == b and len(matched[a]) < 2:
                    continue
                scores = [
                    self.pair_score(a, b, (s, t), matched, alleles, sample)
                    for s in matched[a]
                    for t in matched[b]
                    if complementary(s, t, sample)
                ]
                if scores:
                    answer.append(((a, b), max(scores)))
        answer.sort(key=cmp_to_key(compare_answers))
        return [(self.print_pair(pair), score) for pair, score in answer]

    def print_pair(self, pair: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(self.printed.get(name, name) for name in pair)

    def pair_score(self, a, b, pair, matched, alleles, sample):  # type: ignore[no-untyped-def]
        if a == b:
            return sum(self.haplotype_score(a, alleles, {s}, sample) for s in pair)
        total = 0
        for name in (a, b):
            considered = matched[name] if len(matched[name]) == 1 else matched[name] & set(pair)
            total += self.haplotype_score(name, alleles, considered, sample)
        return total

    def haplotype_score(self, name, alleles, considered, sample):  # type: ignore[no-untyped-def]
        """3.7: defined cells, less the wobbles at which every considered strand shows the VCF reference."""
        columns = sorted(sample)
        score = len(alleles[name])
        for column, cell in alleles[name].items():
            ref = self.gene.definition.positions[column].ref
            if len(cell) > 1 and all(s[columns.index(column)] == ref for s in considered):
                score -= 1
        return score

    def combinations(self, sample: Sample) -> Answer:
        """3.8: combinations of alleles and variants outside them, for every possible strand."""
        strands = sorted(possible_strands(sample))
        objects = [(name, score, s) for s in strands for name, score in self.strand_names(s, sample)]
        haploid = all(seen.second is None for seen in sample.values())
        answer = []
        if len(strands) == 1:
            if haploid and len(objects) == 1:
                return [((objects[0][0],), objects[0][1])]
            pairs = list(combinations_with_replacement(objects, 2))
        else:
            pairs = [
                (x, y) for i, x in enumerate(objects) for y in objects[i + 1 :] if complementary(x[2], y[2], sample)
            ]
        for x, y in pairs:
            first, second = sorted((x[0], y[0]), key=cmp_to_key(compare_names))
            answer.append(((first, second), x[1] + y[1]))
        return sorted(answer, key=cmp_to_key(compare_answers))

    def strand_names(self, strand: Sequence, sample: Sample) -> list[tuple[str, int]]:
        columns = sorted(sample)
        bases = dict(zip(columns, strand, strict=True))
        positions = self.gene.definition.positions
        variants = [c for c in columns if bases[c] != positions[c].ref]
        alleles = {
            name: cells
            for name, cells in self.restricted(sample).items()
            if name != self.reference and name not in self.gene.definition.not_in_combinations
        }
        covering = [n for n, cells in alleles.items() if all(bases[c] in cell for c, cell in cells.items())]
        if len(covering) <= 1:
            groups = [covering]
        else:
            groups = []
            for name in sorted(covering, key=lambda n: (-len(alleles[n]), n)):
                core = set(alleles[name])
                added, blocked = False, False
                for group in groups:
                    overlapping = [other for other in group if core & set(alleles[other])]
                    if not overlapping:
                        group.append(name)
                        added = True
                    elif any(len(alleles[other]) != len(core) for other in overlapping):
                        blocked = True
                if not added and not blocked:
                    groups.append([name])
        named = []
        for group in groups:
            core = {c for name in group for c in alleles[name]}
            partials = [self.partial(c, bases[c]) for c in variants if c not in core]
            ordered = sorted(group, key=cmp_to_key(compare_names))
            parts = [self.printed.get(name, name) for name in ordered] + partials
            cells = len(core) if group else len([c for c in self.cells[self.reference] if c in sample])
            name = parts[0] if len(parts) == 1 else "[" + " + ".join(parts) + "]"
            named.append((name if parts else self.printed[self.reference], cells - len(partials)))
        return named

    def partial(self, column: int, base: str) -> str:
        position = self.gene.definition.positions[column]
        if base == ".":
            return f"g.{position.pos}?"
        if base in position.alts and position.hgvs:
            return position.hgvs[position.alts.index(base)].split(":")[-1]
        return f"g.{position.pos}{position.ref}>{base}"

    def listed(self, sample: Sample) -> list[str]:
        """4.1 path C without the proxy rule: alleles that fit a possible strand, homozygous ones twice."""
        columns = sorted(sample)
        strands = possible_strands(sample)
        alleles = self.restricted(sample)

        def fits(name: str, strand: Sequence) -> bool:
            bases = dict(zip(columns, strand, strict=True))
            return all(bases[c] in cell for c, cell in alleles[name].items())

        present = [name for name in alleles if any(fits(name, strand) for strand in strands)]
        twice = [
            name
            for name in present
            if name != self.reference
            and any(fits(name, s) and fits(name, t) for s in strands for t in strands if complementary(s, t, sample))
        ]
        if len(present) > 2:
            present = [name for name in present if name != self.reference]
        return sorted(present + twice, key=cmp_to_key(compare_names))


def compare_answers(first, second):  # type: ignore[no-untyped-def]
    if first[1] != second[1]:
        return second[1] - first[1]
    for a, b in zip(first[0], second[0], strict=True):
        if (order := compare_names(a, b)) != 0:
            return order
    return 0


def compare_names(first: str, second: str) -> int:
    """2.4."""
    if first == second:
        return 0
    combined = [name.startswith("[") and name.endswith("]") for name in (first, second)]
    if combined[0] != combined[1]:
        return 1 if combined[0] else -1
    if not combined[0]:
        return compare_plain(first, second)
    parts = [name[1:-1].split(" + ") for name in (first, second)]
    if len(parts[0]) != len(parts[1]):
        return len(parts[0]) - len(parts[1])
    for a, b in zip(*parts, strict=True):
        partial = [re.match(r"g\.\d+[?=]?[ACGT>\d]*", name) is not None for name in (a, b)]
        if partial[0] != partial[1]:
            return 1 if partial[0] else -1
        if (order := compare_plain(a, b)) != 0:
            return order
    return 0


def compare_plain(first: str, second: str) -> int:
    ranks = [
        -1 if n.lower() in ("any", "all", "reference") else 1 if n.lower() in ("other", "unknown") else 0
        for n in (first, second)
    ]
    if ranks[0] != ranks[1]:
        return ranks[0] - ranks[1]
    runs = [re.findall(r"\d+|\D+", name) for name in (first, second)]
    for a, b in zip(*runs, strict=False):
        if a.isdecimal() and b.isdecimal():
            if int(a) != int(b):
                return -1 if int(a) < int(b) else 1
        elif a.isdecimal() != b.isdecimal():
            return -1 if a.isdecimal() else 1
        elif a != b:
            return -1 if a < b else 1
    return len(runs[0]) - len(runs[1])
