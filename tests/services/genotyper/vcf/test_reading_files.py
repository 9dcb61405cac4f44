"""VCF files as laboratories send them become lab results that the schema accepts."""

import gzip
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.errors import Code, Rejected
from schemas.lab_result import parse_object
from services.genotyper.options import Options
from services.genotyper.release_caller import ReleaseCaller
from services.genotyper.vcf import BlockLimits, SampleFields, read, sample_map
from tests.services.genotyper.samples import RELEASE
from tests.services.genotyper.vcf.files import CHR10, bgzip, rows, text

CALLER = ReleaseCaller(RELEASE, Options())
RS4244285 = "chr10 94781859 rs4244285 G A . {} . GT {}"
STAR_TWO = (
    RS4244285.format("PASS", "0/1"),
    "chr10 94842866 . A G . PASS . GT 1/1",
    "chr10 94775367 . A G . . . GT 0/1",
)


def write(folder: Path, content: str | bytes, name: str = "sample.vcf") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def refused(path: Path, code: Code, **kwargs: object) -> Rejected:
    with pytest.raises(Rejected) as rejected:
        list(read(path, RELEASE, **kwargs))  # type: ignore[arg-type]
    assert rejected.value.code is code
    return rejected.value


def test_plain_gzipped_and_block_compressed_files_say_the_same(tmp_path: Path) -> None:
    content = text(STAR_TWO).encode()
    results = [
        next(read(write(tmp_path, data, name), RELEASE))
        for name, data in (("a.vcf", content), ("b.vcf.gz", gzip.compress(content)), ("c.vcf.bgz", bgzip(content)))
    ]
    assert results[0] == results[1] == results[2]


def test_result_is_accepted_and_called(tmp_path: Path) -> None:
    result = parse_object(next(read(write(tmp_path, text(STAR_TWO)), RELEASE)))
    called = CALLER.call(result)
    (cyp2c19,) = [call for call in called.genotypes if call.gene == "CYP2C19"]
    assert "*1/*2" in [diplotype.label for diplotype in cyp2c19.diplotypes]


def test_same_content_is_the_same_result_and_names_of_samples_stay_here(tmp_path: Path) -> None:
    content = text(STAR_TWO, samples=("Jane-Doe-1970",), header=(CHR10, "##fileDate=20260131"))
    first, second = (next(read(write(tmp_path, content, name), RELEASE)) for name in ("a.vcf", "b.vcf"))
    assert first == second
    assert "Jane" not in repr(first)
    assert first["issued"] == "2026-01-31T00:00:00Z"
    other = next(read(write(tmp_path, content.replace("Jane", "June"), "c.vcf"), RELEASE))
    assert other["accession"] != first["accession"]
    assert other["patient"] != first["patient"]


def test_given_fields_go_before_derived_ones(tmp_path: Path) -> None:
    fields = SampleFields("mercy", "p-1", "acme", "ACC-1", "2026-01-01T00:00:00Z", "corrected", 2, "male")
    result = next(read(write(tmp_path, text(STAR_TWO)), RELEASE, fields))
    assert parse_object(result).version == 2
    given = ("tenant", "patient", "laboratory", "accession", "issued", "status", "version", "sex")
    assert tuple(result[name] for name in given) == (
        "mercy", "p-1", "acme", "ACC-1", "2026-01-01T00:00:00Z", "corrected", 2, "male",
    )  # fmt: skip


def test_many_samples(tmp_path: Path) -> None:
    record = "chr10 94781859 . G A . . . GT 0/0 0|1 1/1"
    path = write(tmp_path, text([record], samples=("A", "B", "C")))
    assert [result["genotypes"][0]["gt"] for result in read(path, RELEASE)] == ["0/0", "0|1", "1/1"]
    assert len({result["patient"] for result in read(path, RELEASE)}) == 3
    chosen = sample_map(["sample\tpatient\taccession\tsex\n", "C\tp-c\tACC-C\tfemale\n", "A\tp-a\tACC-A\t\n"])
    results = list(read(path, RELEASE, SampleFields(tenant="mercy"), chosen))
    assert [(r["tenant"], r["patient"], r["genotypes"][0]["gt"]) for r in results] == [
        ("mercy", "p-a", "0/0"),
        ("mercy", "p-c", "1/1"),
    ]
    assert "sex" not in results[0]
    refused(path, Code.INVALID_FIELD, general=SampleFields(patient="p-1"))
    refused(path, Code.INVALID_FIELD, samples={"D": SampleFields()})


def test_more_samples_than_are_held_at_once(tmp_path: Path) -> None:
    names = [f"S{number}" for number in range(450)]
    gts = ["0/1" if number % 3 else "1/1" for number in range(450)]
    path = write(tmp_path, text(["chr10 94781859 . G A . . . GT " + " ".join(gts)], samples=names))
    assert [result["genotypes"][0]["gt"] for result in read(path, RELEASE)] == gts


@pytest.mark.parametrize(
    "lines",
    [["patient\n"], ["sample\tname\n"], ["sample\tpatient\n", "A\tp\n", "A\tq\n"], ["sample\tversion\n", "A\tx\n"]],
)
def test_list_of_samples_that_cannot_be_read_is_refused(lines: list[str]) -> None:
    with pytest.raises(Rejected):
        sample_map(lines)


@pytest.mark.parametrize(
    "header",
    [
        ("##contig=<ID=chr10,length=135534747>",),
        ("##contig=<ID=10,length=135534747>",),
        ("##contig=<ID=chr10,length=133797422,assembly=b37>",),
        (CHR10, "##reference=file:///refs/human_g1k_v37.fasta"),
        (CHR10, "##reference=hg19"),
    ],
)
def test_header_of_another_or_of_mixed_builds_is_refused(tmp_path: Path, header: tuple[str, ...]) -> None:
    refused(write(tmp_path, text(STAR_TWO, header=header)), Code.WRONG_ASSEMBLY)


def test_positions_of_grch37_are_refused_whatever_the_header_says(tmp_path: Path) -> None:
    grch37 = [
        "chr10 96541616 rs4244285 G A . . . GT 0/1",
        "chr10 96521657 rs12248560 C T . . . GT 0/1",
        "chr10 96540410 rs4986893 G A . . . GT 0/1",
    ]
    refused(write(tmp_path, text(grch37, header=())), Code.WRONG_ASSEMBLY)
    refused(write(tmp_path, text(grch37)), Code.WRONG_ASSEMBLY)


def test_grch37_among_grch38_is_refused(tmp_path: Path) -> None:
    gene = RELEASE.genes["CYP2C9"]
    moved = [
        f"chr10 {p.grch37_pos} . {p.grch37_ref or p.ref} {','.join(p.alts)} . . . GT 0/0"
        for p in gene.definition.positions[:8]
    ]
    kept = [f"chr10 {p.pos} . {p.ref} {','.join(p.alts)} . . . GT 0/0" for p in gene.definition.positions[8:40]]
    refused(write(tmp_path, text(kept + moved)), Code.WRONG_ASSEMBLY)


@pytest.mark.parametrize("name", ["sample.vcf.gz", "sample.vcf"])
def test_file_that_was_cut_off_is_refused(tmp_path: Path, name: str) -> None:
    refused(write(tmp_path, bgzip(text(STAR_TWO).encode(), end=False), name), Code.INVALID_FIELD)


@pytest.mark.parametrize(
    "content", ["", "nothing like a VCF\n", "##fileformat=VCFv4.2\n", text(["chr10 x . G A . . . GT 0/1"])]
)
def test_file_that_is_no_vcf_is_refused(tmp_path: Path, content: str) -> None:
    refused(write(tmp_path, content), Code.INVALID_FIELD)


def test_file_without_samples_is_refused(tmp_path: Path) -> None:
    lines = text(["chr10 94781859 . G A . . ."], samples=()).replace("\tFORMAT\n", "\n")
    refused(write(tmp_path, lines), Code.INVALID_FIELD)


def test_genotype_over_an_allele_that_is_not_listed_is_refused(tmp_path: Path) -> None:
    error = refused(write(tmp_path, text(["chr10 94781859 . G A . . . GT 0/2"])), Code.INVALID_GENOTYPE)
    assert error.path == "chr10:94781859"


def test_phase_sets_depths_and_filters_come_along(tmp_path: Path) -> None:
    (row,) = rows(tmp_path, "chr10 94781859 . G A . LowQual . GT:AD:PS 0|1:12,9:94780000")
    assert row == {
        "chrom": "chr10", "pos": 94781859, "ref": "G", "alt": ["A"], "gt": "0|1", "ps": 94780000, "ad": [12, 9],
        "filter": "LowQual",
    }  # fmt: skip
    (unphased,) = rows(tmp_path, "chr10 94781859 . G A . . . GT:PS 0/1:94780000")
    assert "ps" not in unphased


def test_depths_are_left_out_where_the_header_does_not_say_that_they_go_by_allele(tmp_path: Path) -> None:
    content = text(["chr10 94781859 . G A . . . GT:AD 0/1:30,0"]).replace("<ID=AD,Number=R", "<ID=AD,Number=.")
    (result,) = read(write(tmp_path, content), RELEASE)
    assert "ad" not in result["genotypes"][0]


def test_depths_that_are_declared_as_text_are_left_out(tmp_path: Path) -> None:
    content = text(["chr10 94781859 . G A . . . GT:AD 0/1:30,0"]).replace(
        "Number=R,Type=Integer", "Number=R,Type=String"
    )
    (result,) = read(write(tmp_path, content), RELEASE)
    assert "ad" not in result["genotypes"][0]


def test_haploid_half_and_missing_calls_keep_their_form(tmp_path: Path) -> None:
    found = rows(
        tmp_path,
        "chrX 154536002 . C T . . . GT 1",
        "chr10 94781859 . G A . . . GT ./1",
        "chr10 94780653 . G A . . . GT ./.",
        "chr10 94761900 . C T . . . GT .",
    )
    assert {row["pos"]: row["gt"] for row in found} == {
        154536002: "1",
        94781859: "./1",
        94780653: "./.",
        94761900: ".",
    }


def test_mitochondrial_contigs_have_many_names(tmp_path: Path) -> None:
    (row,) = rows(tmp_path, "MT 1555 . A G . . . GT 1")
    assert (row["chrom"], row["gt"]) == ("chrM", "1")


BLOCK = "chr10 94781850 . T <NON_REF> . . END=94781870 GT:{} 0/0:{}"


@pytest.mark.parametrize(
    ("fields", "values", "gt"),
    [
        ("MIN_DP:GQ", "25:60", "0/0"),
        ("DP:GQ", "25:60", "0/0"),
        ("MIN_DP:GQ", "4:60", "./."),
        ("MIN_DP:GQ", "25:5", "./."),
        ("DP:MIN_DP:GQ", "25:4:60", "./."),
        ("GQ", "60", "0/0"),
        ("PS", "1", "./."),
    ],
)
def test_blocks_of_reference_count_where_they_are_good_enough(
    tmp_path: Path, fields: str, values: str, gt: str
) -> None:
    found = rows(tmp_path, BLOCK.format(fields, values))
    assert [(row["pos"], row["ref"], row["alt"], row["gt"]) for row in found] == [
        (94781858, "C", ["T"], gt),
        (94781859, "G", ["A"], gt),
    ]


def test_limits_of_blocks_can_be_set(tmp_path: Path) -> None:
    path = write(tmp_path, text([BLOCK.format("MIN_DP:GQ", "4:5")]))
    (result,) = read(path, RELEASE, limits=BlockLimits(min_depth=3, min_quality=5))
    assert {row["gt"] for row in result["genotypes"]} == {"0/0"}


def test_block_does_not_show_that_nothing_was_inserted(tmp_path: Path) -> None:
    assert rows(tmp_path, "chr2 233760200 . A <*> . . END=233760300 GT:DP:GQ 0/0:30:60") == []


def test_variant_of_a_gvcf_goes_before_a_block_and_loses_its_placeholder(tmp_path: Path) -> None:
    found = rows(tmp_path, BLOCK.format("MIN_DP:GQ", "25:60"), "chr10 94781859 . G A,<NON_REF> . . . GT:AD 0/1:10,11,0")
    assert found[1] == {"chrom": "chr10", "pos": 94781859, "ref": "G", "alt": ["A"], "gt": "0/1", "ad": [10, 11]}


def test_reference_row_without_alternatives(tmp_path: Path) -> None:
    (row,) = rows(tmp_path, "chr10 94781859 . G . . . . GT 0/0")
    assert (row["alt"], row["gt"]) == (["A"], "0/0")


def test_rows_elsewhere_are_left_out(tmp_path: Path) -> None:
    assert rows(tmp_path, "chr10 94781860 . G A . . . GT 0/1", "chr1 1000 . G A . . . GT 0/1") == []


BASES = st.text("ACGT", min_size=1, max_size=4)
ALT = st.one_of(BASES, st.sampled_from(["<DEL>", "*", "<NON_REF>", "N"]))
GT = st.sampled_from(["0/0", "0/1", "1|0", "1/1", "./.", "./1", "0", "1", ".", "0/1/1", "1|1|0"])


@given(data=st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_a_file_holds_it_is_read_or_refused(tmp_path: Path, data: st.DataObject) -> None:
    gene = RELEASE.genes[data.draw(st.sampled_from(["CYP2C19", "UGT1A1", "G6PD", "MT-RNR1", "NUDT15"]))]
    records = []
    for _ in range(data.draw(st.integers(1, 8))):
        position = data.draw(st.sampled_from(gene.definition.positions))
        pos = position.pos + data.draw(st.integers(-3, 3))
        ref = data.draw(st.one_of(st.just(position.ref), BASES))
        alt = data.draw(st.one_of(st.just(position.alts[0]), ALT))
        records.append(f"{gene.chromosome} {pos} . {ref} {alt} . . . GT {data.draw(GT)}")
    path = write(tmp_path, text(sorted(records, key=lambda r: int(r.split()[1]))))
    try:
        result = parse_object(next(read(path, RELEASE)))
        CALLER.call(result)
    except Rejected:
        pass


@pytest.mark.parametrize(
    ("intact", "damaged"),
    [
        (b"\tA\t.\tPASS", b"\t\x80\t.\tPASS"),
        (b"ID=GQ,Number=1,Type=Integer", b"ID=GQ,Number=1,Type=nteger"),
        (b"ID=GQ,Number=1,Type=Integer", b"ID=GQ,Number=1,ype=Integer"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path: Path, intact: bytes, damaged: bytes) -> None:
    content = text(["chr10 94781859 rs4244285 G A . PASS . GT:GQ 0/1:60"]).encode()
    assert content.count(intact) == 1
    refused(write(tmp_path, content.replace(intact, damaged)), Code.INVALID_FIELD)


def test_a_position_that_is_repeated_without_end_is_refused(tmp_path: Path) -> None:
    record = RS4244285.format("PASS", "0/1")
    refused(write(tmp_path, text([record] * 101)), Code.INVALID_FIELD)
    assert len(rows(tmp_path, *[record] * 100)) == 100


@pytest.mark.parametrize("record", ["{}", "{} .", "{} 94781859", "{} 94781859 rs4244285 G A . PASS . GT 99999999999/1"])
def test_a_damaged_record_on_a_contig_that_the_header_lacks_is_refused_or_left_out(tmp_path: Path, record: str) -> None:
    header = f"{CHR10}\n"
    bare = text([RS4244285.format("PASS", "0/1")]).replace(header, "")
    damaged = write(tmp_path, bare + "\t".join(record.format("chr10").split()) + "\n", "damaged.vcf")
    assert refused(damaged, Code.INVALID_FIELD).path == "records"
    elsewhere = write(tmp_path, bare + "\t".join(record.format("HLA-X").split()) + "\n")
    assert [row["gt"] for row in next(read(elsewhere, RELEASE))["genotypes"]] == ["0/1"]


def test_a_record_without_genotypes_says_nothing_of_its_samples(tmp_path: Path) -> None:
    path = write(tmp_path, text(["chr10 94781859 rs4244285 G A . PASS . GQ 60"]))
    [result] = read(path, RELEASE)
    assert result["genotypes"] == []
