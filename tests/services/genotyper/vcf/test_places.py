"""The positions of a release as files are read against them."""

import pytest

from services.genotyper.vcf.places import places
from tests.services.genotyper.samples import GENES, RELEASE


def test_a_release_is_prepared_once() -> None:
    assert places(RELEASE) is places(RELEASE)


@pytest.mark.parametrize("contig", ["chr2", "2"])
def test_a_stretch_touches_each_position_whose_reference_bases_it_overlaps(contig: str) -> None:
    longest = max(GENES["UGT1A1"].definition.positions, key=lambda position: len(position.ref))
    last = longest.pos + len(longest.ref) - 1
    assert [site.pos for site in places(RELEASE).overlapping(contig, last, last)] == [longest.pos]
    assert longest.pos not in [site.pos for site in places(RELEASE).overlapping(contig, last + 1, last + 1)]


def test_a_contig_without_positions_has_none() -> None:
    assert not places(RELEASE).overlapping("chrUn_1", 1, 2**31 - 1)
    assert places(RELEASE).at("chrUn_1", 1) is None
    assert {"chrX", "X", "chrM", "MT"} <= set(places(RELEASE).contigs)
