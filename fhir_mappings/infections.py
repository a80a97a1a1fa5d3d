"""The signs of infection on record: cultures and viral PCR that are not negative, and coded diagnoses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, tzinfo
from functools import lru_cache

from fhir_mappings.codes.terminology import Terminology
from fhir_mappings.codes.word_lists import text_of
from fhir_mappings.conditions import is_active
from fhir_mappings.facts.infection import AntiInfective, Infection, InfectionFacts, Sign, TestRead
from fhir_mappings.facts.thresholds import Thresholds
from fhir_mappings.observations import Observations, Observed
from fhir_mappings.reading import fhir_structs as fs
from fhir_mappings.reading.culture_texts import MOST_CHARS, says_nothing_found
from fhir_mappings.reading.fhir_time import moment_or_none
from fhir_mappings.reading.resource_pool import ResourcePool
from fhir_mappings.vital_signs import observed_at

BLOOD_CULTURE, STAIN = "blood-culture", "gram-stain"
CULTURES = (BLOOD_CULTURE, "urine-culture", "viral-pcr")
CODED, LASTING = "coded-infection", "lasting-infection"
# what the names of SNOMED end with
_KINDS_OF_NAME = (" (organism)", " (finding)", " (qualifier value)")


def infection_facts(
    observations: Observations,
    pool: ResourcePool,
    terms: Terminology,
    zone: tzinfo,
    as_of: datetime,
    anti_infectives: tuple[AntiInfective, ...],
    t: Thresholds,
) -> InfectionFacts:
    """The knowledge of infection.

    Preliminary results count, because a culture's first report is when it matters. A diagnosis counts if its code is in
    `coded-infection` and it is new, or its time is not known, or an anti-infective that treats is given or ordered;
    others, and those of `lasting-infection`, are named.
    """
    tests = tuple(_tests(observations, terms, as_of, t))
    treated = any(one.treats for one in anti_infectives)
    coded = tuple(_coded(pool, terms, zone, as_of, t))
    counted = [diagnosis for diagnosis, lasts, new in coded if not lasts and (new or treated)]
    named = [diagnosis for diagnosis, _, _ in coded if diagnosis not in counted]
    return InfectionFacts(
        counted=tuple(dict.fromkeys((*tests, *counted))),
        named=tuple(dict.fromkeys(named)),
        culture=_first_culture(tests, as_of, t),
        read=tuple(_read(observations, terms, as_of, t)),
        anti_infectives=anti_infectives,
    )


def _first_culture(tests: Iterable[Infection], as_of: datetime, t: Thresholds) -> Infection | None:
    """The blood culture that comes before everything else: the latest that names an organism, else the latest."""
    recent = [
        one
        for one in tests
        if one.sign is Sign.BLOOD_CULTURE and one.at is not None and as_of - one.at <= t.blood_culture_age
    ]
    return max(recent, key=lambda one: (bool(one.finding) and not one.is_stain, one.at, one.reference), default=None)


def _read(observations: Observations, terms: Terminology, as_of: datetime, t: Thresholds) -> Iterator[TestRead]:
    for set_id in CULTURES:
        times = [observed_at(o.at, as_of) for o in observations.of(set_id) if not o.absent]
        recent = [at for at in times if as_of - at <= t.infection_age]
        if recent:
            yield TestRead(terms.titles[set_id], len(recent), max(recent))


def _tests(observations: Observations, terms: Terminology, as_of: datetime, t: Thresholds) -> Iterator[Infection]:
    for o in observations.of(*CULTURES):
        at = observed_at(o.at, as_of)
        found = _finding(o, terms) if as_of - at <= t.infection_age else None
        if found is not None:
            kind = next(s for s in CULTURES if s in o.sets)
            sign = Sign.BLOOD_CULTURE if kind == BLOOD_CULTURE else Sign.OTHER_TEST
            stain = bool(found) and _is_stain(found, terms)
            yield Infection(o.reference, at, sign, terms.titles[kind], found, is_stain=stain)


def _coded(
    pool: ResourcePool, terms: Terminology, zone: tzinfo, as_of: datetime, t: Thresholds
) -> Iterator[tuple[Infection, bool, bool]]:
    """The active coded infections, whether each is a lasting one, and whether it is new."""
    for resource in pool.of_type(fs.Condition):
        data = resource.data
        sets = terms.sets_of(fs.codings_of(data.code)) & {CODED, LASTING}
        if not sets or not is_active(data):
            continue
        code = next((c.code for c in data.code.coding if c.code), "")
        times = [at for at in (moment_or_none(s, zone) for s in (data.recorded_date, data.onset_date_time)) if at]
        new = not times or any(as_of - at <= t.coded_infection_age for at in times)
        yield Infection(resource.reference, max(times, default=None), Sign.DIAGNOSIS, code=code), LASTING in sets, new


def _is_stain(text: str, terms: Terminology) -> bool:
    """Tell whether each word of a finding only says how bacteria look: "Gram-negative rods in 2 of 2 bottles"."""
    return {word for word in text_of(text[:MOST_CHARS]).words if word.isalpha()} <= _stain_words(terms)


@lru_cache(maxsize=16)
def _stain_words(terms: Terminology) -> frozenset[str]:
    return frozenset(word for known in terms.texts(STAIN) for word in text_of(known).words)


def _finding(o: Observed, terms: Terminology) -> str | None:
    """The finding of a culture or PCR, as it is charted; None if it is negative, pending or empty; "" if only its
    interpretation says that it is positive.

    A result is treated as possible infection unless its whole text is a known way to say "negative", "pending" or
    "below a limit", because no list of organisms is complete.
    """
    sets = frozenset().union(*(terms.sets_of(fs.codings_of(c)) for c in (*o.interpretation, o.concept)))
    positive = "positive-result" in sets
    if not positive and ("negative-result" in sets or o.absent or o.denied):
        return None
    if o.quantity is not None and o.quantity.value is not None:
        none = o.quantity.comparator in ("<", "<=") or o.quantity.value <= 0
        return (None if not positive else "") if none else f"{o.quantity.value.normalize():f}"
    texts = [o.text] if o.text else []
    if o.concept is not None:
        texts += [o.concept.text] if o.concept.text else []
        texts += [c.display for c in o.concept.coding if c.display]
        texts = texts or [c.code for c in o.concept.coding if c.code]
    known = terms.texts("negative-result")
    if positive:
        return next((_plain(text) for text in texts if not says_nothing_found(text, known)), "")
    if not texts or any(says_nothing_found(text, known) for text in texts):
        return None
    return _plain(texts[0])


def _plain(text: str) -> str:
    """A text without what a terminology adds to a name: "Escherichia coli (organism)"."""
    text = text[:MOST_CHARS]
    return next((text.removesuffix(kind) for kind in _KINDS_OF_NAME if text.endswith(kind)), text)
