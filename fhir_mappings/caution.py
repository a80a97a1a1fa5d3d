"""What the label asks to weigh before tocilizumab: counts, liver enzymes, infection, hypersensitivity."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal

from fhir_mappings import fhir_structs as fs
from fhir_mappings.clinical_facts import DrugClass, Infection, LabValue, SafetyLabs, SetAside
from fhir_mappings.conditions import is_active, recorded_at
from fhir_mappings.drugs import drug_of
from fhir_mappings.observations import Observations, Observed, codings_of
from fhir_mappings.read_resources import ResourcePool
from fhir_mappings.terminology import Terminology, normalised
from fhir_mappings.thresholds import Thresholds
from fhir_mappings.units import Measure, UnitError, measured
from fhir_mappings.vital_signs import observed_at, readings

CULTURES = ("blood-culture", "urine-culture", "viral-pcr")
_COUNTS = (("neutrophils", Measure.COUNT), ("platelets", Measure.COUNT))
_ENZYMES = (("alanine-aminotransferase", Measure.ENZYME), ("aspartate-aminotransferase", Measure.ENZYME))


def safety_labs(observations: Observations, as_of: datetime, t: Thresholds) -> tuple[SafetyLabs, tuple[SetAside, ...]]:
    """The latest neutrophils, platelets, ALT and AST of the last days. Unknown where the latest could not be read."""
    values: list[LabValue | None] = []
    aside: list[SetAside] = []
    for set_id, measure in (*_COUNTS, *_ENZYMES):
        value, bad = _latest(observations.of(set_id), measure, as_of, t.safety_labs_age)
        values.append(value)
        aside += bad
    return SafetyLabs(*values), tuple(aside)


def _latest(
    observed: Iterable[Observed], measure: Measure, as_of: datetime, max_age: timedelta
) -> tuple[LabValue | None, tuple[SetAside, ...]]:
    """The latest value; "below v" is read as v."""
    final = [_upper_bound(o) for o in observed if o.status != "preliminary"]
    good, bad = readings(final, measure, as_of)
    recent = [r for r in good if as_of - r.at <= max_age]
    if not recent or any(b.at is not None and b.at.latest > recent[-1].at for b in bad):
        return None, bad
    last = recent[-1]
    source = next(o for o in final if o.reference == last.reference)
    return LabValue(last.reference, last.value, last.at, _upper_normal(source, measure)), bad


def _upper_bound(o: Observed) -> Observed:
    if o.quantity is None or o.quantity.comparator not in ("<", "<="):
        return o
    return replace(o, quantity=fs.Quantity(o.quantity.value, None, o.quantity.unit, o.quantity.code))


def _upper_normal(o: Observed, measure: Measure) -> Decimal | None:
    """The upper limit of normal that the result states, where it is in a unit that we read."""
    if measure is not Measure.ENZYME or o.upper_limit is None:
        return None
    limit = o.upper_limit
    if limit.code is None and limit.unit is None and o.quantity is not None:  # a bare number is in the result's unit
        limit = fs.Quantity(limit.value, limit.comparator, o.quantity.unit, o.quantity.code)
    try:
        return measured(limit, measure) or None
    except UnitError:
        return None


def infections(
    observations: Observations, pool: ResourcePool, terms: Terminology, zone: tzinfo, as_of: datetime, t: Thresholds
) -> tuple[Infection, ...]:
    """Cultures and viral PCR of the last days that are not negative, and active coded infections."""
    found: list[Infection] = []
    for o in observations.of(*CULTURES):
        at = observed_at(o.at, as_of)
        words = _finding(o, terms) if as_of - at <= t.infection_age else None
        if words is not None:
            kind = next(s for s in CULTURES if s in o.sets)
            found.append(Infection(o.reference, f"{terms.titles[kind]}: {words}", at))
    for resource in pool.of_type(fs.Condition):
        data = resource.data
        if is_active(data) and "coded-infection" in terms.sets_of(codings_of(data.code)):
            code = next((c.code for c in data.code.coding if c.code), "")
            found.append(Infection(resource.reference, f"coded {code}", recorded_at(data, zone)))
    return tuple(dict.fromkeys(found))


def _finding(o: Observed, terms: Terminology) -> str | None:
    """What a culture or PCR found, as charted; None where it is negative, pending or empty.

    A result that is no known way to say "negative" or "pending" counts as a finding: it names an organism.
    """
    sets = frozenset().union(*(terms.sets_of(codings_of(c)) for c in (*o.interpretation, o.concept)))
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
    return texts[0]


def _says_nothing_found(text: str, terms: Terminology) -> bool:
    """Whether a text is, or begins with, a known way to say "negative" or "pending"."""
    words = normalised(text).rstrip(".")
    phrases = terms.texts("negative-result")
    return any(words == p or words.startswith((f"{p} ", f"{p},", f"{p};", f"{p}:", f"{p}.")) for p in phrases)


def tocilizumab_hypersensitivity(pool: ResourcePool, terms: Terminology) -> str | None:
    """The reference of an active allergy or intolerance to tocilizumab."""
    for resource in pool.of_type(fs.AllergyIntolerance):
        if not is_active(resource.data):
            continue
        drug = drug_of(resource.data.code, None, (), pool, terms, None)
        if drug is not None and drug.drug_class is DrugClass.TOCILIZUMAB:
            return resource.reference
    return None
