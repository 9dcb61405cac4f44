"""Which patients have which accession, as one transaction goes on. Pure."""

from collections.abc import Callable, Collection, Iterator, Mapping

from services.recommender.misfiled import MOST_OTHERS, Elsewhere

Filed = tuple[str, str, str]
"""Tenant, laboratory and accession."""
Withdrawn = Callable[[str], bool]
"""Whether the accession's result is withdrawn under a pseudonym."""


class Filing:
    """Starts from what the store holds about the accessions of a batch, and learns what the batch adds."""

    def __init__(self, stored: Mapping[Filed, Collection[str]]) -> None:
        """``stored``: by accession the pseudonyms of all patients that have it, or enough to know that it is reused."""
        self._holders = {filed: set(holders) for filed, holders in stored.items()}
        # Its patients have all been told already; there may be any number of them.
        self._reused = {filed for filed, holders in stored.items() if len(holders) > MOST_OTHERS + 1}

    def patients(self) -> Iterator[tuple[str, str]]:
        """Tenant and pseudonym of everybody that an event about one of the accessions may concern."""
        for filed in self._holders.keys() - self._reused:
            yield from ((filed[0], pseudonym) for pseudonym in self._holders[filed])

    def known(self) -> list[Filed]:
        """The accessions that name samples, in order."""
        return sorted(self._holders.keys() - self._reused)

    def add(self, filed: Filed, pseudonym: str) -> None:
        """The patient has it from now on."""
        self._holders.setdefault(filed, set()).add(pseudonym)

    def others(self, filed: Filed, pseudonym: str) -> list[str]:
        """Who else has it and is to be told of changes, in order."""
        return [] if filed in self._reused else sorted(self._holders.get(filed, set()) - {pseudonym})

    def elsewhere(self, filed: Filed, pseudonym: str, withdrawn: Withdrawn) -> Elsewhere:
        """What a patient is to know of the others that have the accession."""
        _, laboratory, accession = filed
        if filed in self._reused:
            return Elsewhere(laboratory, accession, reused=True)
        return Elsewhere.among((laboratory, accession), map(withdrawn, self.others(filed, pseudonym)))
