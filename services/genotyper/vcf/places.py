"""Where a file's records matter: the positions of a release, prepared once and found by place."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence, Set

from knowledge.once import once
from knowledge.release import Release
from services.genotyper.assembly import AssemblyCheck
from services.genotyper.options import Research
from services.genotyper.panel import Panel, Site, build_panel
from services.genotyper.research import research_genes

_LONGEST_REFERENCE = 100
"""No definition spells more reference bases than this."""


class Places:
    """Positions of a panel, in order by contig, and where GRCh37 has those that have moved since."""

    def __init__(self, panel: Panel, assembly: AssemblyCheck) -> None:
        self.assembly = assembly
        self._at = panel.sites
        self._sites: dict[str, list[Site]] = {}
        for (contig, _), site in sorted(panel.sites.items(), key=lambda entry: entry[0]):
            self._sites.setdefault(contig, []).append(site)
        self._starts = {contig: [site.pos for site in sites] for contig, sites in self._sites.items()}

    @property
    def contigs(self) -> Set[str]:
        """Every contig with a position, with and without ``chr``."""
        return self._sites.keys()

    def at(self, contig: str, pos: int) -> Site | None:
        """The position that starts here."""
        return self._at.get((contig, pos))

    def overlapping(self, contig: str, first: int, last: int) -> Sequence[Site]:
        """Positions whose reference bases overlap the range."""
        starts = self._starts.get(contig)
        if starts is None:
            return ()
        low = bisect_left(starts, first - _LONGEST_REFERENCE)
        high = bisect_right(starts, last)
        return [site for site in self._sites[contig][low:high] if site.pos + len(site.ref) > first]


@once
def places(release: Release) -> Places:
    """The release's positions, those of research genes included, prepared the first time they are asked for."""
    extra = tuple(gene for gene, _ in research_genes(release, frozenset({Research.EXTRA_GENES})))
    panel = build_panel((*release.genes.values(), *extra))
    return Places(panel, AssemblyCheck.of(tuple(release.genes.values())))
