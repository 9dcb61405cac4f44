"""Phenoconversion: what a genetic phenotype comes to under the drugs that a patient takes.

Of several inhibitors of an enzyme the strongest decides, of several inducers too; where there are both nothing is
computed, as no agreed method sets them off against each other. Factors, steps and classes are the release's.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from knowledge.clinical import Conversion as Effect
from knowledge.clinical import ConversionMethod, ConversionRule, Precipitant
from knowledge.model import Gene
from knowledge.once import once
from knowledge.phenotypes import score_text
from knowledge.release import Release
from schemas.phenotype import Conversion, EffectivePhenotype, Interaction, Phenotype
from services.recommender.context.medications import Taken

INHIBITOR = "inhibitor"
_STRONGEST_FIRST = ("strong", "moderate", "weak")
_UNSURE = ("low",)
_NO_KEY = "n/a"


@dataclass(frozen=True, slots=True)
class _Converted:
    """A phenotype under a rule, or why there is none."""

    phenotype: str | None
    score: str | None
    key: str | tuple[str, ...] | None
    reasons: tuple[str, ...] = ()


class _NotComputed(Exception):
    """The rules do not say what the phenotype comes to."""


class Phenoconversion:
    """The interactions of one release."""

    def __init__(self, release: Release) -> None:
        self._genes = release.genes
        self._table = release.phenoconversion
        self._rules = {gene: rule for rule in release.phenoconversion.rules for gene in rule.genes}
        self._scores = {gene: _scores_in_rows(release, gene) for gene in self._rules}
        self._doubts = {
            gene: tuple(
                doubt.text
                for doubt in release.doubts
                if doubt.topic == "phenoconversion" and doubt.lowers_confidence and gene in doubt.genes
            )
            for gene in self._rules
        }

    @property
    def genes(self) -> frozenset[str]:
        """Genes whose phenotypes drugs may change."""
        return frozenset(self._rules)

    def converts_as(self, other: "Phenoconversion") -> bool:
        """Whether a phenotype comes to the same under both, whatever is taken; reasons may differ."""
        return self._facts() == other._facts()

    def _facts(self) -> tuple[object, ...]:
        tables = {gene: self._genes[gene].phenotype for gene in self._rules if gene in self._genes}
        return (self._table, self._scores, tables)

    def effective(self, phenotypes: Sequence[Phenotype], taken: Iterable[Taken]) -> tuple[Phenotype, ...]:
        """The phenotypes; those whose enzyme one of the drugs acts on have ``effective`` beside the genetic one."""
        acting: dict[str, list[Precipitant]] = {}
        for one in dict.fromkeys(precipitant for drug in taken for precipitant in drug.precipitants):
            acting.setdefault(one.enzyme, []).append(one)
        return tuple(self._one(phenotype, acting) for phenotype in phenotypes)

    def _one(self, phenotype: Phenotype, acting: Mapping[str, Sequence[Precipitant]]) -> Phenotype:
        rule = self._rules.get(phenotype.gene)
        if rule is None or rule.enzyme not in acting:
            return phenotype
        return phenotype.model_copy(update={"effective": self._effective(rule, phenotype, acting[rule.enzyme])})

    def _effective(
        self, rule: ConversionRule, phenotype: Phenotype, acting: Sequence[Precipitant]
    ) -> EffectivePhenotype:
        cause = sorted(acting, key=lambda one: (_STRONGEST_FIRST.index(one.strength), one.effect, one.drug))
        reasons: tuple[str, ...] = ()
        try:
            found = self._converted(rule, phenotype, cause)
            reasons = found.reasons
            same = (found.phenotype, found.score, found.key) == _genetic(phenotype)
            outcome = Conversion.UNCHANGED if same else Conversion.CONVERTED
            if not same:
                reasons += (*_of_causes(cause), *self._doubts[phenotype.gene])
        except _NotComputed as why:
            found = _Converted(*_genetic(phenotype))
            outcome, reasons = Conversion.NOT_COMPUTED, (str(why),)
        return EffectivePhenotype(
            outcome=outcome,
            phenotype=found.phenotype,
            activity_score=found.score,
            lookup_key=found.key,
            cause=tuple(map(_interaction, cause)),
            method=rule.method.value,
            evidence=rule.evidence,
            sources=rule.references,
            reasons=tuple(f"{phenotype.gene}: {reason}" for reason in reasons),
        )

    def _converted(self, rule: ConversionRule, phenotype: Phenotype, cause: Sequence[Precipitant]) -> _Converted:
        if rule.method is ConversionMethod.FLAG_ONLY:
            raise _NotComputed(f"{_named(cause)}; there is no accepted conversion of its phenotype")
        if len({one.effect for one in cause}) > 1:
            raise _NotComputed(f"{_named(cause)}: both an inhibitor and an inducer, which no agreed method weighs")
        effects = rule.inhibitors if cause[0].effect == INHIBITOR else rule.inducers
        effect = effects.get(cause[0].strength)
        if effect is None:
            raise _NotComputed(f"{_named(cause[:1])}; the rule has no entry for that class")
        if effect.factor is not None:
            return self._times(phenotype, effect.factor)
        return self._moved(phenotype, effect)

    def _times(self, phenotype: Phenotype, factor: float) -> _Converted:
        if factor == 1:
            return _Converted(*_genetic(phenotype))
        gene = self._genes[phenotype.gene]
        keys = _keys(phenotype)
        if factor == 0:
            score = score_text(("0.0",))
            return _Converted(gene.phenotype.phenotype_of_score(score), score, score)
        if not keys or any(gene.phenotype.phenotype_of_score(key) is None for key in keys):
            raise _NotComputed("the genetic activity score is not known")
        if any(key.startswith("≥") for key in keys):
            raise _NotComputed(f"the genetic activity score is only known as {' or '.join(keys)}")
        scores = [str(float(key) * factor) for key in keys]
        named = dict.fromkeys(gene.phenotype.phenotype_of_score(score) for score in scores)
        nearest = tuple(dict.fromkeys(self._nearest(gene, score) for score in scores))
        reasons = tuple(
            f"no guideline has a row for score {score}, the nearest of the same phenotype is looked up"
            for score in scores
            if score not in nearest
        )
        key = nearest[0] if len(nearest) == 1 else nearest
        return _Converted(" or ".join(filter(None, named)), scores[0] if len(scores) == 1 else None, key, reasons)

    def _nearest(self, gene: Gene, score: str) -> str:
        """The score under which rows are found: this one, or the nearest of its phenotype, the lower of two."""
        phenotype = gene.phenotype.phenotype_of_score(score)
        known = [one for one in self._scores[gene.symbol] if gene.phenotype.phenotype_of_score(one) == phenotype]
        return min(known, key=lambda one: (abs(float(one) - float(score)), float(one)), default=score)

    def _moved(self, phenotype: Phenotype, effect: Effect) -> _Converted:
        if effect.becomes is None and not effect.steps:
            return _Converted(*_genetic(phenotype))
        genetic = phenotype.phenotype
        target = effect.becomes or effect.steps.get(genetic or "")
        if target is None:
            raise _NotComputed(f"the rule has no step for {genetic or 'an unknown phenotype'}")
        if target == genetic:
            return _Converted(*_genetic(phenotype))
        gene = self._genes[phenotype.gene]
        if not gene.phenotype.bins:
            return _Converted(target, None, target)
        scores = tuple(
            score for score in self._scores[gene.symbol] if gene.phenotype.phenotype_of_score(score) == target
        )
        if not scores:
            raise _NotComputed(f"no guideline has a row for {target}")
        return _Converted(target, None, scores[0] if len(scores) == 1 else scores)


def _genetic(phenotype: Phenotype) -> tuple[str | None, str | None, str | tuple[str, ...] | None]:
    return (phenotype.phenotype, phenotype.activity_score, phenotype.lookup_key)


def _keys(phenotype: Phenotype) -> tuple[str, ...]:
    key = phenotype.lookup_key
    return () if key is None or key == _NO_KEY else (key,) if isinstance(key, str) else key


def _scores_in_rows(release: Release, gene: str) -> tuple[str, ...]:
    """The activity scores that some guideline has a row for, in their order."""
    if gene not in release.genes:
        return ()
    table = release.genes[gene].phenotype
    keys = {key for rule in release.rules for key in rule.genes.get(gene, ())}
    scores = [key for key in keys if not key.startswith("≥") and table.phenotype_of_score(key) is not None]
    return tuple(sorted(scores, key=float))


def _of_causes(cause: Sequence[Precipitant]) -> Iterator[str]:
    """Doubts about the class of what decided."""
    deciding = [one for one in cause if one.strength == cause[0].strength]
    if all(one.curator for one in deciding):
        yield f"that {deciding[0].drug} is a {_class(deciding[0])} rests on expert memory that still needs a source"
    elif all(one.curator or one.certainty in _UNSURE for one in deciding):
        yield f"that {deciding[0].drug} is a {_class(deciding[0])} is uncertain"
    if all(one.note is not None and one.note.startswith("strength: ") for one in deciding):
        yield f"{deciding[0].drug}: {deciding[0].note}"


def _named(cause: Sequence[Precipitant]) -> str:
    return ", ".join(f"{one.drug} is a {_class(one)}" for one in cause)


def _class(precipitant: Precipitant) -> str:
    return f"{precipitant.strength} {precipitant.effect}"


def _interaction(precipitant: Precipitant) -> Interaction:
    return Interaction(
        drug=precipitant.drug,
        rxnorm=precipitant.rxnorm,
        effect=precipitant.effect,
        strength=precipitant.strength,
        class_by=precipitant.class_by,
        sources=precipitant.sources,
        note=precipitant.note,
    )


@once
def phenoconversion(release: Release) -> Phenoconversion:
    """The release's interactions, prepared the first time they are asked for."""
    return Phenoconversion(release)
