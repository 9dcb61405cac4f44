"""One variant has one spelling, however a laboratory writes it."""

from pathlib import Path

import pytest

from tests.services.genotyper.vcf.files import rows

CYP3A5_7 = ("chr7", 99652770, "T", ["TA"])
UGT1A1_28 = ("chr2", 233760233, "CAT", ["C", "CATAT", "CATATAT"])


@pytest.mark.parametrize(
    ("record", "gt"),
    [
        ("chr7 99652770 . T TA . . . GT 0/1", "0/1"),
        ("chr7 99652770 . TGGC TAGGC . . . GT 0/1", "0/1"),
        ("chr7 99652769 . GT GTA . . . GT 1|0", "1|0"),
        ("7 99652770 . T TA . . . GT 1/1", "1/1"),
    ],
)
def test_insertion_with_more_bases_around_it(tmp_path: Path, record: str, gt: str) -> None:
    chrom, pos, ref, alt = CYP3A5_7
    assert rows(tmp_path, record) == [{"chrom": chrom, "pos": pos, "ref": ref, "alt": alt, "gt": gt}]


@pytest.mark.parametrize(
    ("records", "gt"),
    [
        (["chr2 233760233 . CAT CATAT . . . GT 0/1"], "0/2"),
        (["chr2 233760233 . C CAT . . . GT 0/1"], "0/2"),
        (["chr2 233760233 . C CATAT . . . GT 1/1"], "3/3"),
        (["chr2 233760233 . CAT C . . . GT 0/1"], "0/1"),
        (["chr2 233760233 . CAT C,CATAT . . . GT 1/2"], "1/2"),
        (["chr2 233760233 . CAT CATATAT,CATAT . . . GT 1|2"], "3|2"),
        (["chr2 233760233 . CAT C . . . GT 1/0", "chr2 233760233 . C CAT . . . GT 0/1"], "1/2"),
        (["chr2 233760233 . CAT C . . . GT 1|0", "chr2 233760233 . C CAT . . . GT 0|1"], "1|2"),
        (["chr2 233760233 . CAT C . . . GT 1/.", "chr2 233760233 . C CAT . . . GT ./1"], "1/2"),
        (["chr2 233760233 . CAT C . . . GT 0/1", "chr2 233760233 . C CAT . . . GT 0/0"], "0/1"),
        (["chr2 233760233 . CAT C . . . GT 1/1", "chr2 233760233 . C CAT . . . GT 0/1"], "./."),
    ],
)
def test_repeat_split_joined_or_in_another_order(tmp_path: Path, records: list[str], gt: str) -> None:
    chrom, pos, ref, alt = UGT1A1_28
    assert rows(tmp_path, *records) == [{"chrom": chrom, "pos": pos, "ref": ref, "alt": alt, "gt": gt}]


def test_undocumented_repeat_is_kept_beside_the_known_ones(tmp_path: Path) -> None:
    (row,) = rows(tmp_path, "chr2 233760233 . C CATATAT . . . GT 0/1")
    assert row["ref"] == "CAT"
    assert row["alt"] == ["C", "CATAT", "CATATAT", "CATATATAT"]
    assert row["gt"] == "0/4"


def test_substitution_of_several_bases_is_read_base_by_base(tmp_path: Path) -> None:
    # CYP2C19: rs367543002 (94762712 C>T) and rs367543003 (94762715 T>C) in one record.
    found = rows(tmp_path, "chr10 94762712 . CTCT TTCC . . . GT 0|1")
    assert [(row["pos"], row["ref"], row["gt"]) for row in found] == [(94762712, "C", "0|1"), (94762715, "T", "0|1")]


def test_deletion_over_a_position_takes_it_away_only_where_the_sample_has_it(tmp_path: Path) -> None:
    deletion = "chr10 94781857 . ACG A . . . GT {}"
    assert rows(tmp_path, deletion.format("0/0")) == []
    (first, second) = rows(tmp_path, deletion.format("0/1"))
    assert (first["pos"], second["pos"]) == (94781858, 94781859)
    assert second["alt"] == ["A", "*"]
    assert second["gt"] == "0/2"


def test_record_at_the_position_goes_before_a_deletion_over_it(tmp_path: Path) -> None:
    found = rows(tmp_path, "chr10 94781857 . ACG A . . . GT 0/1", "chr10 94781859 . G A,* . . . GT 1/2")
    assert [(row["pos"], row["gt"]) for row in found if row["pos"] == 94781859] == [(94781859, "1/2")]


def test_neighbouring_insertion_says_nothing_about_a_substitution(tmp_path: Path) -> None:
    assert rows(tmp_path, "chr10 94781857 . GC GCA . . . GT 0/1") == []


def test_other_reference_base_is_handed_on_for_the_warning(tmp_path: Path) -> None:
    (row,) = rows(tmp_path, "chr10 94781859 . T A . . . GT 0/1")
    assert row["ref"] == "T"


def test_repeated_record_is_handed_on_twice(tmp_path: Path) -> None:
    record = "chr10 94781859 . G A . . . GT 0/1"
    assert [row["gt"] for row in rows(tmp_path, record, record)] == ["0/1", "0/1"]
