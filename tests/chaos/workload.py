"""Seeded random input: laboratories that correct, repeat and contradict themselves, and now and then send rubbish."""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bench.genotyper.samples import gene_rows, whole_panel
from knowledge.release import Release
from runtime.message import Headers
from schemas.cloudevents import headers_of, read_clinical_context, read_lab_result
from schemas.topics import CLINICAL_CONTEXT, LAB_RESULT, Topic

NUMBER = "chaos-number"
"""Header that says which input a message is; services carry it on dead letters only."""
BUG = "BUG"
"""In the accession of results that a test lets the domain code fail for."""
_STATED = "c-"
_PATIENT_RESULTS = 8
_SMALL_GENES = 25

Cause = tuple[str, str]
"""Source and id of a laboratory's event."""


@dataclass(frozen=True, slots=True)
class Input:
    """A message that a laboratory publishes."""

    number: int
    key: bytes
    value: bytes
    headers: Headers
    cause: Cause | None
    """The event that it is; None for rubbish."""
    topic: Topic = LAB_RESULT

    @property
    def all_headers(self) -> Headers:
        return (*self.headers, (NUMBER, str(self.number).encode()))


@dataclass(frozen=True, slots=True)
class Mix:
    """What a workload is made of: shares of all messages."""

    poison: float = 0.04
    whole_panels: float = 0.01
    repeated: float = 0.10
    bugs: float = 0.0
    stated: float = 0.2
    """Share of the patients of whom hospitals state clinical context beside their results."""


def order_is_open(patient: str) -> bool:
    """Whether two topics speak of the patient (tenant/pseudonym): then nothing says which of two events comes first."""
    return patient.partition("/")[2].startswith(_STATED)


ORDINARY = Mix()


def inputs(release: Release, seed: int, count: int, mix: Mix = ORDINARY) -> list[Input]:
    """So many messages, the same for the same seed and release, in the order in which they are published."""
    draw = random.Random(seed)
    patients = [
        _Patient(release, draw, mix, f"{_STATED if draw.random() < mix.stated else 'p-'}{number}")
        for number in range(max(2, round(count / _PATIENT_RESULTS)))
    ]
    found: list[Input] = []
    while len(found) < count:
        place = len(found)
        if draw.random() < mix.poison:
            found.append(_poison(draw, place))
        elif found and draw.random() < mix.repeated:
            earlier = draw.choice(found[-200:])
            found.append(Input(place, earlier.key, earlier.value, earlier.headers, earlier.cause, earlier.topic))
        else:
            found.append(draw.choice(patients).next(place))
    return found


class _Patient:
    """Sends results of a few accessions; versions come in order mostly, and now and then before their original."""

    def __init__(self, release: Release, draw: random.Random, mix: Mix, name: str) -> None:
        self._release = release
        self._draw = draw
        self._mix = mix
        self._tenant = draw.choice(("mercy", "saint-anna"))
        self._name = name
        self._key = f"{self._tenant}/{name}".encode()
        self._results = self._plan()
        self._statements = self._said()

    def next(self, place: int) -> Input:
        if self._name.startswith(_STATED) and self._draw.random() < 0.5:
            return _spoken(self._draw, place, self._key, CLINICAL_CONTEXT, next(self._statements))
        return _spoken(self._draw, place, self._key, LAB_RESULT, next(self._results))

    def _plan(self) -> Iterator[dict[str, Any]]:
        draw, accession = self._draw, 0
        while True:
            accession += 1
            number = f"{BUG if draw.random() < self._mix.bugs else 'A'}-{self._name}-{accession}"
            versions = list(range(1, draw.choice((1, 1, 1, 2, 3)) + 1))
            if draw.random() < 0.3:
                draw.shuffle(versions)
            laboratory = draw.choice(("north", "south", "acme-genomics"))
            for version in versions:
                yield {
                    "tenant": self._tenant, "patient": self._name, "accession": number, "laboratory": laboratory,
                    "version": version, "status": self._status(version), "assembly": "GRCh38", "sex": "female",
                    "issued": f"2026-{draw.randint(1, 11):02}-{draw.randint(1, 28):02}T10:00:00Z",
                    **self._content(),
                }  # fmt: skip

    def _said(self) -> Iterator[dict[str, Any]]:
        """Statements about medications and body, corrected and taken back now and then, also before their original."""
        draw, statement = self._draw, 0
        drugs = sorted(self._release.drugs)
        while True:
            statement += 1
            versions = list(range(1, draw.choice((1, 1, 2)) + 1))
            if draw.random() < 0.3:
                draw.shuffle(versions)
            for version in versions:
                taken = [self._release.drugs[name] for name in draw.sample(drugs, draw.randint(1, 3))]
                yield {
                    "tenant": self._tenant, "patient": self._name, "source": draw.choice(("ward", "clinic")),
                    "statement": f"S-{self._name}-{statement}", "version": version,
                    "status": "active" if version == 1 or draw.random() < 0.8 else "entered-in-error",
                    "recorded": f"2026-{draw.randint(1, 11):02}-{draw.randint(1, 28):02}T10:00:00Z",
                    "medications": [
                        {"name": drug.name, "status": draw.choice(("started", "started", "stopped"))} for drug in taken
                    ],
                    "weight_kg": draw.randint(40, 120), "smoking": draw.choice(("never", "current")),
                }  # fmt: skip

    def _status(self, version: int) -> str:
        if version == 1:
            return self._draw.choice(("final", "final", "final", "preliminary"))
        return self._draw.choice(("corrected", "corrected", "final", "entered-in-error"))

    def _content(self) -> dict[str, Any]:
        draw = self._draw
        if draw.random() < self._mix.whole_panels:
            return {"genotypes": whole_panel(self._release, draw.randrange(10**9))["genotypes"]}
        genes = [gene for gene in self._release.genes.values() if 0 < len(gene.definition.positions) <= _SMALL_GENES]
        reported = draw.sample([gene for gene in self._release.genes.values() if gene.definition.alleles], 2)
        names = [[allele.name for allele in gene.definition.alleles] for gene in reported]
        return {
            "genotypes": [row for gene in draw.sample(genes, draw.randint(0, 2)) for row in gene_rows(gene, draw)],
            "reported": [
                {"gene": gene.symbol, "diplotype": f"{draw.choice(known)}/{draw.choice(known)}"}
                for gene, known in zip(reported, names, strict=True)
            ],
        }


def _spoken(draw: random.Random, place: int, key: bytes, topic: Topic, content: dict[str, Any]) -> Input:
    """A result or statement in one of the three ways in which laboratories and hospitals publish."""
    way = draw.choice(("binary", "binary", "structured", "bare"))
    source, id_ = f"/from/{content.get('laboratory') or content['source']}", f"e-{place}"
    value, headers = json.dumps(content).encode(), ()
    if way == "binary":
        binary = headers_of(topic, id=id_, source=source, time="2026-11-23T10:00:00Z")
        return Input(place, key, value, tuple(binary), (source, id_), topic)
    if way == "structured":
        envelope = {
            "specversion": "1.0", "id": id_, "source": source, "type": topic.name, "data": content,
            "time": "2026-11-23T10:00:00Z", "datacontenttype": "application/json",
        }  # fmt: skip
        return Input(place, key, json.dumps(envelope).encode(), headers, (source, id_), topic)
    event = read_lab_result(value) if topic is LAB_RESULT else read_clinical_context(value)
    return Input(place, key, value, headers, (event.source, event.id), topic)


def _poison(draw: random.Random, place: int) -> Input:
    good = {
        "tenant": "mercy", "patient": "p-x", "accession": f"X-{place}", "laboratory": "north", "status": "final",
        "version": 1, "issued": "2026-11-23T10:00:00Z", "assembly": "GRCh38", "reported": [],
    }  # fmt: skip
    text = json.dumps(good).encode()
    values = (
        b"{not json",
        b"",
        b"\x00\xff\xfe",
        text.replace(b'"version": 1', b'"version": NaN'),
        text.replace(b'"version": 1', b'"version": "1"'),
        json.dumps({**good, "status": "done"}).encode(),
        json.dumps({**good, "assembly": "GRCh37"}).encode(),
        json.dumps({**good, "note": json.loads("[" * 40 + "]" * 40)}).encode(),
        json.dumps({**good, "accession": "A\0B"}).encode(),
    )
    # Spread over the partitions as patients are.
    key = f"mercy/p-{draw.randrange(1000)}".encode()
    # What no model takes for a lab result, none takes for a statement either.
    return Input(place, key, draw.choice(values), (), None, draw.choice((LAB_RESULT, LAB_RESULT, CLINICAL_CONTEXT)))
