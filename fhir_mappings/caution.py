"""The cautions of the label before tocilizumab: counts, liver enzymes, infection, hypersensitivity."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, tzinfo
from decimal import Decimal

from msgspec.structs import replace

from fhir_mappings.codes.observed_sets import MEASURE_OF_SET
from fhir_mappings.codes.terminology import Terminology, normalised
from fhir_mappings.conditions import is_active, recorded_at
from fhir_mappings.facts.coverage import Kind, SetAside
from fhir_mappings.facts.labs import LabValue, SafetyLabs
from fhir_mappings.facts.measures import Measure
from fhir_mappings.facts.patient import Infection
from fhir_mappings.facts.signs import Reading
from fhir_mappings.facts.thresholds import Thresholds
from fhir_mappings.facts.treatment import Drug, DrugClass
from fhir_mappings.medications.identified import UNNAMED, contents
from fhir_mappings.medications.products import Part, Product
from fhir_mappings.observations import Observations, Observed
from fhir_mappings.reading import fhir_structs as fs
from fhir_mappings.reading.resource_pool import ResourcePool
from fhir_mappings.reading.resources import Resource
from fhir_mappings.reading.units import UnitError, measured
from fhir_mappings.vital_signs import observed_at, readings

MOST_TIMES_NORMAL = 5  # a stated upper limit beyond so many times `enzymes_normal` limits something else
CULTURES = ("blood-culture", "urine-culture", "viral-pcr")
SAFETY_LABS = (
    ("ANC", "neutrophils"),
    ("platelets", "platelets"),
    ("ALT", "alanine-aminotransferase"),
    ("AST", "aspartate-aminotransferase"),
)
# the words that may surround a known way to say "negative" without adding anything
_BEFORE = r"(?:(?:final|preliminary|prelim|report|result|culture|blood culture|urine culture|cmv|dna|pcr)[\s:,.-]*)*"
_AFTER = r"(?:[\s,(-]*(?:to date|so far|final|after|at|for|x|in)?[\s]*(?:\d+\s*(?:h|hr|hrs|hours?|d|days?))?[\s).]*)*"
_BELOW = re.compile(r"(?:<|≤|<=)\s*[\d.,]+.*|0+(?:[.,]0+)?(?:\s.*)?|.*\(\s*<\s*[\d.,]+[^)]*\)")


def safety_labs(observations: Observations, as_of: datetime, t: Thresholds) -> tuple[SafetyLabs, tuple[SetAside, ...]]:
    """The latest neutrophils, platelets, ALT and AST within `safety_labs_age`, and the results set aside."""
    values: dict[str, LabValue | None] = {}
    aside: list[SetAside] = []
    unreadable: list[str] = []
    for name, set_id in SAFETY_LABS:
        value, bad, lost = _latest(observations.of(set_id), MEASURE_OF_SET[set_id], as_of, t)
        values[name] = value
        aside += bad
        unreadable += [name] if lost else []
    labs = SafetyLabs(values["ANC"], values["platelets"], values["ALT"], values["AST"], tuple(unreadable))
    return labs, tuple(aside)


def _latest(
    observed: Iterable[Observed], measure: Measure, as_of: datetime, t: Thresholds
) -> tuple[LabValue | None, tuple[SetAside, ...], bool]:
    """The latest value, the results set aside, and whether the latest of all could not be read.

    A result "below" or "above" a number counts as that number, with its comparator.
    """
    observed = tuple(observed)
    good, bad = safety_readings(observed, measure, as_of)
    recent = [r for r in good if as_of - r.at <= t.safety_labs_age]
    since = recent[-1].at if recent else as_of - t.safety_labs_age
    lost = any(b.at is None or b.at.latest > since for b in bad)
    if not recent or lost:
        return None, bad, lost
    last = recent[-1]
    source = next(o for o in observed if o.reference == last.reference)
    comparator = (source.quantity.comparator if source.quantity else None) or ""
    upper = _upper_normal(source, measure, t)
    return LabValue(last.reference, last.value, last.at, upper, comparator), bad, False


def safety_readings(
    observed: Iterable[Observed], measure: Measure, as_of: datetime
) -> tuple[tuple[Reading, ...], tuple[SetAside, ...]]:
    """The readings of results that are final, and those set aside; one below or above a number counts as that."""
    return readings((_without_comparator(o) for o in observed if o.status != "preliminary"), measure, as_of)


def _without_comparator(o: Observed) -> Observed:
    if o.quantity is None or o.quantity.comparator not in ("<", "<=", ">", ">="):
        return o
    return replace(o, quantity=fs.Quantity(o.quantity.value, None, o.quantity.unit, o.quantity.code))


def _upper_normal(o: Observed, measure: Measure, t: Thresholds) -> Decimal | None:
    """The upper limit of normal that the result states, in a unit that can be converted; of several the lowest."""
    if measure is not Measure.ENZYME:
        return None
    found: list[Decimal] = []
    for high in o.upper_limits:
        limit = high
        if limit.code is None and limit.unit is None and o.quantity is not None:  # a bare number has the result's unit
            limit = fs.Quantity(limit.value, limit.comparator, o.quantity.unit, o.quantity.code)
        try:
            found.append(measured(limit, measure))
        except UnitError:
            continue
    plausible = [value for value in found if 0 < value <= t.enzymes_normal * MOST_TIMES_NORMAL]
    return min(plausible, default=None)


def infections(
    observations: Observations, pool: ResourcePool, terms: Terminology, zone: tzinfo, as_of: datetime, t: Thresholds
) -> tuple[Infection, ...]:
    """The cultures and viral PCR within `infection_age` that are not negative, and the active coded infections.

    Preliminary results count, because a culture's first report is when it matters. A diagnosis counts as an infection
    if its code is in `coded-infection`: severity codes of sepsis and bacteraemia are, chronic hepatitis B is not.
    """
    found: list[Infection] = []
    for o in observations.of(*CULTURES):
        at = observed_at(o.at, as_of)
        words = finding_of(o, terms) if as_of - at <= t.infection_age else None
        if words is not None:
            kind = next(s for s in CULTURES if s in o.sets)
            found.append(Infection(o.reference, at, terms.titles[kind], words))
    for resource in pool.of_type(fs.Condition):
        data = resource.data
        if is_active(data) and "coded-infection" in terms.sets_of(fs.codings_of(data.code)):
            code = next((c.code for c in data.code.coding if c.code), "")
            found.append(Infection(resource.reference, recorded_at(data, zone), code=code))
    return tuple(dict.fromkeys(found))


def finding_of(o: Observed, terms: Terminology) -> str | None:
    """The finding of a culture or PCR, as it is charted; None if it is negative, pending or empty.

    A result is treated as possible infection unless its whole text is a known way to say "negative", "pending" or
    "below a limit", because no list of organisms is complete.
    """
    sets = frozenset().union(*(terms.sets_of(fs.codings_of(c)) for c in (*o.interpretation, o.concept)))
    if "positive-result" in sets:
        return "positive"
    if "negative-result" in sets or o.absent or o.denied:
        return None
    if o.quantity is not None and o.quantity.value is not None:
        censored = o.quantity.comparator in ("<", "<=")
        return None if censored or o.quantity.value <= 0 else f"{o.quantity.value.normalize():f}"
    texts = [o.text] if o.text else []
    if o.concept is not None:
        texts += [o.concept.text] if o.concept.text else []
        texts += [c.display for c in o.concept.coding if c.display]
        texts = texts or [c.code for c in o.concept.coding if c.code]
    if not texts or any(_says_nothing_found(text, terms) for text in texts):
        return None
    return f'"{texts[0]}"'


def _says_nothing_found(text: str, terms: Terminology) -> bool:
    """Tell whether the whole text is a known way to say "negative" or "pending", or a value below a limit.

    "No growth to date" is one; "no growth aerobic; anaerobic bottle: Escherichia coli" says more and is none.
    """
    words = normalised(text)
    phrases = "|".join(sorted(map(re.escape, terms.texts("negative-result")), key=len, reverse=True))
    whole = re.fullmatch(rf"{_BEFORE}(?:{phrases}){_AFTER}", words)
    below = _BELOW.fullmatch(words) is not None and not re.search(r"[a-z]{4,} [a-z]{4,}", words)
    return whole is not None or below


def tocilizumab_hypersensitivity(pool: ResourcePool, terms: Terminology) -> str | None:
    """The reference of an active allergy or intolerance to tocilizumab."""
    for resource in pool.of_type(fs.AllergyIntolerance):
        if is_active(resource.data) and any(d.drug_class is DrugClass.TOCILIZUMAB for d in allergens(resource, terms)):
            return resource.reference
    return None


def doubtful_allergies(pool: ResourcePool, terms: Terminology) -> tuple[SetAside, ...]:
    """Active allergies that may be to tocilizumab, and it cannot be told."""
    return tuple(
        SetAside(resource.reference, drug.ingredient, frozenset({Kind.ALLERGIES}))
        for resource in pool.of_type(fs.AllergyIntolerance)
        if is_active(resource.data)
        for drug in allergens(resource, terms)
        if DrugClass.TOCILIZUMAB in drug.resembles and drug != UNNAMED
    )


def allergens(resource: Resource[fs.AllergyIntolerance], terms: Terminology) -> tuple[Drug, ...]:
    """The causes of an allergy: its code, and the substances of its reactions."""
    substances = (reaction.substance for reaction in resource.data.reaction)
    parts = tuple(Part(concept) for concept in (resource.data.code, *substances) if concept is not None)
    return tuple(content.drug for content in contents(Product(parts), terms))
