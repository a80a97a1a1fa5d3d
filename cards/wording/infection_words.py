"""Infection in words: its signs, what was read without finding one, and the anti-infectives that the patient gets."""

from __future__ import annotations

from dataclasses import replace

from cards.deciding.decision_table import CardId
from cards.sentences.escaping import escaped, reference_text, short
from cards.sentences.numbers_and_times import InWords, number, when
from cards.sentences.phrases import phrase
from cards.sentences.set_aside_words import not_used
from cards.sentences.treatment_words import clock
from cards.wording.context import WordingContext
from fhir_mappings.facts.coverage import Kind
from fhir_mappings.facts.grade import Fever
from fhir_mappings.facts.infection import AntiInfective, Infection, Sign
from fhir_mappings.facts.patient import PatientFacts
from fhir_mappings.facts.sought import NEUTROPHILS, counts_set_aside, infections_set_aside, tests_set_aside

MOST_NAMED = 4
_OF_INFECTION = (Kind.MICROBIOLOGY, Kind.CONDITIONS, Kind.LASTING_INFECTIONS)


def of_infection(x: WordingContext) -> dict[str, str]:
    """The placeholders about infection."""
    culture = x.facts.infection.culture
    name = culture_words(x, culture) if culture is not None else ""
    return {
        "culture": name,
        "culture_first": phrase("culture_first", "yes" if name else "no", culture=name),
        "culture_line": phrase("culture_line", "yes" if name else "no", culture=name),
        "infection_known": infection_known(x),
        "attributable": phrase("attributable", "line", known=infection_known(x), anc=anc_words(x)),
        "antibiotics": antibiotics(x),
        "neutropenic": phrase("neutropenic", _neutropenic(x), antibiotics=antibiotics(x)),
        "anc": anc_words(x),
        "anc_ask": phrase("anc_ask", "no" if x.facts.labs.neutrophils else "yes"),
    }


def _neutropenic(x: WordingContext) -> str:
    """The way in which neutropenia without fever is said; with fever the card has a line of its own."""
    anc = x.facts.labs.neutrophils
    if anc is None or anc.value >= x.t.neutropenia or x.grade.fever is Fever.NOW:
        return "no"
    return "treated" if x.facts.infection.antibacterials else "yes"


def culture_words(x: WordingContext, culture: Infection) -> str:
    """The blood culture that comes first, as a summary holds it: `Escherichia coli in blood 25 Jul 06:00`."""
    at = f" {when(x.facts.local(culture.at))}" if culture.at is not None else ""
    return f"{sign_words(replace(culture, finding=short(culture.finding)))}{at}"


def antibiotics(x: WordingContext) -> str:
    """ "antibiotics now", or those that the patient gets already."""
    given = x.facts.infection.antibacterials
    if not given:
        return phrase("antibiotics", "none")
    return ", ".join(drug_words(x.facts, one) for one in given[:MOST_NAMED])


def drug_words(facts: PatientFacts, one: AntiInfective) -> str:
    """`meropenem since 06:00`, `meropenem ordered 5 Mar 06:00`."""
    at = f" {clock(facts, one.since)}" if one.since is not None else ""
    return f"{one.name} {'since' if one.given else 'ordered'}{at}"


def infection_known(x: WordingContext) -> str:
    """The signs that count, or what was read without one; then what is only named, what could not be read, and the
    anti-infectives."""
    found = x.facts.infection
    unread = [kind.value for kind in _OF_INFECTION if kind in x.unread]
    lost = not_used(x.facts, infections_set_aside(x.facts, x.t), escaped)
    drugs = ", ".join(drug_words(x.facts, one) for one in found.anti_infectives[:MOST_NAMED])
    lines = [
        phrase("infection_known", "counted", signs=_named(x, found.counted)) if found.counted else _none_found(x),
        phrase("infection_known", "named", signs=_named(x, found.named)) if found.named else "",
        phrase("infection_known", "unread", kinds=" and ".join(unread)) if unread else "",
        phrase("infection_known", "not used", lost=lost) if lost else "",
        f"{drugs[0].upper()}{drugs[1:]}." if drugs else "",
    ]
    return " ".join(filter(None, lines))


def _named(x: WordingContext, signs: tuple[Infection, ...]) -> str:
    named = [f"{escaped(sign_words(one))}{_dated(x.facts, one)}" for one in signs[:MOST_NAMED]]
    more = len(signs) - MOST_NAMED
    return "; ".join(named) + (f" and {more} more" if more > 0 else "")


def _none_found(x: WordingContext) -> str:
    """ "No infection found", with what was read, because nothing else makes it reassuring."""
    read = x.facts.infection.read
    if not read:
        unread = Kind.MICROBIOLOGY in x.unread or tests_set_aside(x.facts, x.t)
        return "" if unread else phrase("infection_known", "no tests", t=InWords(x.t))
    tests = [f"{test.test.lower()} ×{test.number}" for test in read]
    tests += ["diagnoses"] if Kind.CONDITIONS not in x.unread else []
    latest = when(x.facts.local(max(test.latest for test in read)))
    return phrase("infection_known", "none", read=", ".join(tests), latest=latest)


def anc_words(x: WordingContext) -> str:
    anc = x.facts.labs.neutrophils
    lost = not_used(x.facts, counts_set_aside(x.facts, NEUTROPHILS, x.t), escaped)
    how = "known" if anc else "not used" if lost else "unknown"
    return phrase("anc", how, count=number(anc.value) if anc else "", lost=lost)


def anc_count(x: WordingContext, card: CardId) -> str:
    """The count beside "neutropenic fever", on the cards that have no line with it."""
    anc = x.facts.labs.neutrophils
    said = anc is None or card not in (CardId.GRADE1_SUPPORTIVE, CardId.REASSESS_WINDOW)
    count = number(anc.value) if anc is not None else ""
    return phrase("anc_count", "said" if said else "not said", count=count)


def sign_words(one: Infection) -> str:
    match one.sign:
        case Sign.DIAGNOSIS:
            return f"coded {one.code}"
        case Sign.BLOOD_CULTURE if one.finding and not one.is_stain:
            return f"{one.finding} in blood"
        case Sign.BLOOD_CULTURE:
            return f"blood culture {one.finding}".strip() if one.finding else "positive blood culture"
    return f"{one.test}: {one.finding or 'positive'}"


def infection_words(facts: PatientFacts, signs: tuple[Infection, ...]) -> str:
    """Each sign of infection with its time and reference, at most four."""
    shown = [
        f"{escaped(sign_words(one))} ({reference_text(one.reference)}{_dated(facts, one, ',')})"
        for one in signs[:MOST_NAMED]
    ]
    more = len(signs) - MOST_NAMED
    return "; ".join(shown) + (f" and {more} more" if more > 0 else "")


def _dated(facts: PatientFacts, one: Infection, comma: str = "") -> str:
    """The time of a sign: clock time for a result, the date for a diagnosis or anything of another year."""
    if one.at is None:
        return ""
    at = facts.local(one.at)
    if one.sign is Sign.DIAGNOSIS or at.year != facts.local(facts.as_of).year:
        return f"{comma} since {at.day} {at:%b %Y}"
    return f"{comma} {when(at)}"
