"""Corticosteroids given, in words: on the orders, and in the sentences of the cards."""

from __future__ import annotations

from datetime import datetime, timedelta

from cards.deciding.steroids.amounts import Running
from cards.deciding.steroids.regimen import Prescription
from cards.deciding.steroids.state import SteroidState
from cards.sentences.numbers_and_times import number, with_thousands
from cards.sentences.treatment_words import clock
from fhir_mappings.facts.patient import PatientFacts
from fhir_mappings.facts.thresholds import in_unit
from fhir_mappings.facts.treatment import SteroidGiven


def given_words(state: SteroidState, facts: PatientFacts) -> str:
    """The doses that are running, and when the next is due: `dexamethasone 10 mg given 06:00, next due 12:00`."""
    if state.running is None:
        return ""
    return due_words(running_words(state.running, facts), state.due, facts, is_due=state.is_due)


def running_words(found: Running, facts: PatientFacts) -> str:
    return " and ".join(given_one(one, facts) for one in found.given)


def due_words(given: str, due: datetime | None, facts: PatientFacts, *, is_due: bool) -> str:
    """The doses with the time of the next one; an infusion has none."""
    return given if due is None else f"{given}, {'due since' if is_due else 'next due'} {clock(facts, due)}"


def given_one(one: SteroidGiven, facts: PatientFacts) -> str:
    """`dexamethasone 10 mg given 06:00`, `methylprednisolone 40 mg/h infusing since 06:00`."""
    drug, amount = one.ingredient, _amount(one)
    amount = f" {amount}" if amount else ""
    if one.infusing:
        return f"{drug}{amount} infusing since {clock(facts, one.at)}"
    if one.until is not None and one.ended == one.until:
        return f"{drug}{amount} infused until {clock(facts, one.until)}"
    return f"{drug}{amount} given {clock(facts, one.at)}"


def _amount(one: SteroidGiven) -> str:
    if one.hourly.mg is not None and not one.dose.is_read:
        return f"{number(one.hourly.mg)} mg/h"
    if one.hourly.mg_per_kg is not None and not one.dose.is_read:
        return f"{number(one.hourly.mg_per_kg)} mg/kg/h"
    if one.dose.mg is not None:
        return f"{with_thousands(one.dose.mg)} mg"
    return f"{number(one.dose.mg_per_kg)} mg/kg" if one.dose.mg_per_kg is not None else ""


def often(asked: Prescription) -> str:
    """`every 6 h`, `once a day`."""
    return "once a day" if asked.every == timedelta(days=1) else f"every {int(in_unit(asked.every, 'h'))} h"


def capital(words: str) -> str:
    return words[:1].upper() + words[1:]
