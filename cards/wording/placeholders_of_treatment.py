"""The values of doses, bars, regimens and products behind the `{names}` in `wording`."""

from __future__ import annotations

from cards.deciding.decision_table import CardId
from cards.deciding.steroids.regimen import is_no_better
from cards.deciding.steroids.state import steroid_state
from cards.deciding.tocilizumab_gate import SAID_BESIDE_ADVICE, tocilizumab_gate
from cards.deciding.when_to_show import Planned
from cards.orders.dose_words import barred_words, steroid_words, toci_beginning, toci_words
from cards.orders.steroid_words import capital, given_words
from cards.sentences.escaping import escaped_words
from cards.sentences.numbers_and_times import InWords, duration, when
from cards.sentences.phrases import phrase
from cards.sentences.treatment_words import dose_number
from cards.wording.context import WordingContext
from fhir_mappings.facts.grade import is_better

# their first line begins with the corticosteroid that was given
_GIVEN_FIRST = (CardId.SEVERE_CRS, CardId.STEROID_AFTER_2_TOCI, CardId.STEROID_EARLY_LOW_IL6)


def of_doses(x: WordingContext) -> dict[str, str]:
    history, facts = x.facts.tocilizumab, x.facts
    count = len(history.doses)
    starts = history.safety_starts
    next_dose = when(facts.local(max(starts) + x.t.dose_interval)) if starts else "now"
    least = "" if history.history_complete else "at least "
    return {
        "doses_given": f"{least}{count} doses",
        "doses": f"{least}{count} dose{'' if count == 1 else 's'}",
        "since_last": f"{duration(facts.as_of - max(starts))} ago" if starts else "not given",
        "since_dose_2": duration(facts.as_of - history.doses[1].start) if count >= 2 else "",
        "next_dose": next_dose,
        **_of_progress(x, next_dose),
    }


def _of_progress(x: WordingContext, next_dose: str) -> dict[str, str]:
    """The words on the course of CRS since the doses of tocilizumab."""
    facts, t = x.facts, x.t
    doses = facts.tocilizumab.doses
    since = facts.as_of - doses[1].start if len(doses) > 1 else None
    how = "first"
    if since is not None:
        how = "progressed" if facts.progressed else "persists" if since >= t.dose_interval else "early"
    better = (
        since is not None
        and t.dose_interval <= since < t.better_after_dose
        and is_better(x.grade, facts.grade_at_dose_2)
    )
    at = when(facts.local(doses[1].start + t.better_after_dose)) if better else next_dose
    return {
        "severe_after": phrase("severe_after", how, doses_given=f"{dose_number(facts)} doses"),
        "severe_since": phrase("severe_since", how, since_dose_2=duration(since) if since is not None else ""),
        "no_better": phrase("no_better", "yes" if is_no_better(facts, t) else "no", t=InWords(t)),
        "better": phrase("better", "yes" if better else "no"),
        "Better": phrase("Better", "yes" if better else "no"),
        "reassess_at": at,
    }


def of_offers(x: WordingContext, planned: Planned) -> dict[str, str]:
    """The words about offers, which must not promise what the orders below them refuse."""
    gate = tocilizumab_gate(x.facts, x.t)
    bar = gate.bar in SAID_BESIDE_ADVICE and any(offer.key == "tocilizumab" for offer in planned.offers)
    late = planned.id is CardId.SEVERE_CRS and not planned.offers
    sample = any(offer.beside and offer.suggestion for offer in planned.offers)
    given, steroid = _given(x), steroid_words(x.facts, x.regimen, x.t)
    values = {
        "given": given,
        "Given": capital(given),
        "no_delay": phrase("no_delay", "sample" if sample else ""),
        "il6_sample": phrase("il6_sample", "yes" if sample else "no"),
        "barred": barred_words(x.facts, gate, x.t) if bar else "",
        "toci": toci_words(x.facts, x.t),
        "Toci": toci_beginning(x.facts, x.t),
        "steroid": steroid,
        "Steroid": capital(steroid),
        "second": f" as dose {len(x.facts.tocilizumab.doses) + 1}" if x.facts.tocilizumab.doses else "",
        "again": phrase("again", "look", t=InWords(x.t)),
    }
    values["with_steroid"] = phrase(
        "with_steroid", "no" if not is_no_better(x.facts, x.t) else "given" if given else "yes", **values
    )
    state = ("barred" if bar else "now") + (", given" if given else "")
    allergic = x.facts.tocilizumab_hypersensitivity is not None
    again = "second" if len(x.facts.tocilizumab.doses) >= min(2, int(x.t.doses_max)) else "first"
    possible = "barred" if bar else "yes"
    how = {
        **dict.fromkeys(("early", "early_do", "severe_do"), state),
        **dict.fromkeys(("recommended", "recommended_do", "by_guideline", "guideline_do"), possible),
        **dict.fromkeys(("consider", "consider_do"), "given" if given else "none"),
        "severe_what": "late" if late else state,
        "taper": "late" if late else "now",
        "then": "allergic" if allergic else again,
    }
    return {**values, **{part: phrase(part, way, **values) for part, way in how.items()}}


def said_once(notes: str, planned: Planned, given: str) -> str:
    """The notes on the orders, without what was given where the first line of the card begins with it."""
    if not given or planned.id not in _GIVEN_FIRST:
        return notes
    return " ".join(notes.replace(f"{given}.", "", 1).split())


def product_treated_early(x: WordingContext) -> str:
    """The product of the course whose guidance treats early; "" if there is none."""
    course = x.facts.course
    return escaped_words(next((i.product for i in course.infusions if i.treated_early), "")) if course else ""


def _given(x: WordingContext) -> str:
    """The corticosteroid that is running; "" if none is."""
    if x.regimen is None:
        return ""
    return given_words(steroid_state(x.facts, x.drafts, x.regimen, x.t), x.facts)
