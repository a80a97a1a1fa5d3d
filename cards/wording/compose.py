"""The composition of cards: the sentences of `wording` filled with a patient's values, around the orders."""

from __future__ import annotations

from dataclasses import replace

from cards.deciding.card import SUMMARY_LIMIT, Card, Suggestion, joined, shortened
from cards.deciding.decision_table import CardId
from cards.deciding.drafts import drafted
from cards.deciding.verdict import Category
from cards.deciding.when_to_show import Planned
from cards.evidence.card_evidence import CARD_EVIDENCE
from cards.sentences.escaping import escaped_words
from cards.sentences.fitting import Line, fitted, words_in
from cards.sentences.phrases import PHRASES, phrase
from cards.sentences.treatment_words import blockers_given
from cards.wording.context import WordingContext
from cards.wording.evidence import EvidencePart, basis, bullets, evidence_items
from cards.wording.grade_words import why_in_short
from cards.wording.placeholders import AnswerValues, CardValues
from cards.wording.placeholders_of_grade import why_words
from cards.wording.state_lines import state_in_short, state_lines
from cards.wording.wording import CAUTION, CAUTION_BESIDE, LABS_MISSING, OVERRIDE_REASONS, PROTOCOL, WORDING
from fhir_mappings.facts.coverage import Kind
from fhir_mappings.facts.flags import Flag
from fhir_mappings.facts.grade import Fever
from fhir_mappings.facts.treatment import DrugClass

EXTRA = PHRASES["extra"]
# the cards that give or bar tocilizumab: they name what else blocks IL-6 or IL-1
_OF_TOCILIZUMAB = frozenset(
    {
        *(c for c in CardId if c.startswith("toci-")), CardId.SEVERE_CRS, CardId.STEROID_EARLY_LOW_IL6,
        CardId.INFECTION_FIRST, CardId.STEROID_AFTER_2_TOCI, CardId.REASSESS_WINDOW, CardId.GRADE1_SUPPORTIVE,
        CardId.NO_CRS,
    }
)  # fmt: skip
_CAUTIONS = (CAUTION, CAUTION_BESIDE)
IN_LONG_ANSWERS = 60  # words of crs-grade in an answer of six cards or more
LONG_ANSWER = 6  # cards
_TOCILIZUMAB_CARDS = (CardId.TOCI_RECOMMENDED, CardId.STEROID_EARLY_LOW_IL6, CardId.TOCI_GUIDELINE, CardId.SEVERE_CRS)
_FEVER_CARDS = (*_TOCILIZUMAB_CARDS, CardId.GRADE1_SUPPORTIVE, CardId.STEROID_AFTER_2_TOCI, CardId.REASSESS_WINDOW)


def composed(
    planned: Planned, texts: WordingContext, suggestions: tuple[Suggestion, ...], notes: tuple[str, ...], *, last: bool
) -> Card:
    """The words of one card around its orders. What does not fit into ten seconds is its background."""
    wording = WORDING[planned.id]
    values = CardValues(texts, planned, notes)
    late = planned.id is CardId.SEVERE_CRS and not planned.offers
    lead = [EXTRA["outside window"]] if late else list(wording.lead)
    extra = [*_extra(planned, texts), *([EXTRA["orders unread"]] if _may_repeat(suggestions, texts) else [])]
    said = [Line(paragraph.format_map(values).strip().replace("  ", " ")) for paragraph in lead]
    said += [Line(line.format_map(values), line not in _MAY_GO) for line in extra]
    said += [Line(wording.why.format_map(values), stays=False)] if wording.why else []
    said += [Line(wording.caveat)] if wording.caveat and _rests_on_the_study(planned, texts) else []
    said += [Line(line.format_map(values), line in _CAUTIONS) for line in wording.beside]
    if planned.id is CardId.CRS_GRADE:
        said = [*state_in_short(texts), *said[1:]]
    protocol = [PROTOCOL] if last else []
    most = IN_LONG_ANSWERS if planned.id is CardId.CRS_GRADE and texts.long_answer else wording.most_words
    detail = fitted(said, most - sum(map(words_in, protocol)))
    shown = wording.shown or tuple(EvidencePart)
    behind = CARD_EVIDENCE[planned.id]
    if planned.id is CardId.CRS_GRADE:
        whole = state_lines(texts)
    else:
        left_out = [line.text for line in said if line.text and line.text not in detail]
        whole = [*left_out, *basis(texts.facts, texts.found, texts.t, shown)]
    return Card(
        id=planned.id,
        display=wording.display,
        indicator=planned.indicator,
        summary=_summary(wording.summary.format_map(values), texts),
        detail=joined([_as_list(detail) if planned.id is CardId.CRS_GRADE else joined(detail), *protocol]),
        source=wording.source,
        suggestions=suggestions,
        override_reasons=() if planned.id is CardId.CRS_GRADE else OVERRIDE_REASONS,
        shows_evidence=True,
        background=bullets([*filter(None, whole), *behind.rests_on, *behind.limits]),
        evidence=evidence_items(texts.facts, shown),
    )


def _summary(text: str, x: WordingContext) -> str:
    """A summary within its limit. What makes the grade gives way, row by row, before any word of the action does."""
    why = why_in_short(x.grade)
    fewer = [(row,) for row in sorted(why, key=len, reverse=True)] if len(why) > 1 else []
    versions = [text.replace(why_words(why), why_words(rows), 1) for rows in (why, *fewer, ())] if why else [text]
    return next((short for short in versions if len(short) < SUMMARY_LIMIT), shortened(versions[-1]))


def _as_list(lines: list[str]) -> str:
    return "\n".join(lines)


# infection, what was given, what may be ordered already, and a caution before tocilizumab give way to nothing
_MAY_GO = frozenset({LABS_MISSING, EXTRA["under study age"], EXTRA["paediatric limit"]})


def _rests_on_the_study(planned: Planned, texts: WordingContext) -> bool:
    """Tell whether the study is the reason of a card: surveillance may rest on an infection alone."""
    return planned.id is not CardId.INFECTION_SURVEILLANCE or texts.found.crp.category is Category.HIGH


_ORDERS = {"MedicationRequest": Kind.MEDICATION_ORDERS, "ServiceRequest": Kind.SERVICE_ORDERS}


def _may_repeat(suggestions: tuple[Suggestion, ...], texts: WordingContext) -> bool:
    """Tell whether a suggested order may be active already because not all orders of its kind were read."""
    return any(_ORDERS[s.resource["resourceType"]] in texts.unread for s in suggestions if s.action == "create")


def _extra(planned: Planned, texts: WordingContext) -> list[str]:
    """The sentences that only some patients need: on neutropenia, age, the paediatric limit."""
    lines: list[str] = []
    t, facts = texts.t, texts.facts
    if planned.id in _OF_TOCILIZUMAB and facts.other_blockers:
        lines.append(phrase("extra", "blockers", blockers=escaped_words(blockers_given(facts))))
    # without a recent count nobody knows, so the line on neutropenic fever is conditional
    sepsis_said = planned.id is CardId.SEVERE_CRS and facts.infection.culture is not None
    if _is_of_fever(planned, texts) and not sepsis_said:
        treated = ", treated" if facts.infection.antibacterials else ""
        anc = facts.labs.neutrophils
        if anc is None:
            lines.append(EXTRA[f"perhaps neutropenic{treated}"])
        elif anc.value < t.neutropenia:
            lines.append(EXTRA[f"neutropenic{treated}"])
    if WORDING[planned.id].of_the_study and facts.age is not None and facts.age.years < t.study_min_age:
        lines.append(EXTRA["under study age"])
    if planned.id is texts.says_caution:
        lines += [CAUTION, LABS_MISSING]
    if planned.id in (CardId.SEVERE_CRS, CardId.CRS_GRADE) and _confirm_ventilation(texts):
        lines.append(EXTRA["ventilated"])
    if planned.id is CardId.CRS_GRADE and facts.age is not None and t.pals_low_above < facts.age.years < t.adult_age:
        lines.append(EXTRA["paediatric limit"])
    return lines


def _is_of_fever(planned: Planned, x: WordingContext) -> bool:
    """Tell whether a card speaks of a patient with fever, or whose fever is treated: neutropenia matters to it."""
    return planned.id in _FEVER_CARDS or (planned.id is CardId.OTHER_CAUSE_FIRST and x.grade.fever is Fever.NOW)


def _confirm_ventilation(x: WordingContext) -> bool:
    """Tell whether ventilation may be for the airway and not for hypoxia: with severe ICANS, or on little oxygen."""
    flags = x.grade.oxygen.flags
    severe = x.facts.icans.grade is not None and x.facts.icans.grade >= x.t.icans_severe
    return Flag.VENTILATED_LOW_FIO2 in flags or (Flag.VENTILATED in flags and severe)


def _says_caution(shown: tuple[Planned, ...], x: WordingContext) -> CardId | None:
    """The card that says the cautions of a drafted tocilizumab where none about tocilizumab is shown that does."""
    said = any(set(WORDING[planned.id].beside) & set(_CAUTIONS) for planned in shown)
    if said or not drafted(x.drafts, DrugClass.TOCILIZUMAB):
        return None
    ids = [planned.id for planned in shown]
    return CardId.GRADE1_SUPPORTIVE if CardId.GRADE1_SUPPORTIVE in ids else CardId.CRS_GRADE


def worded(shown: tuple[Planned, ...], texts: WordingContext) -> tuple[Card, ...]:
    """The cards with their words. An order that an earlier card carries is only named by a later one."""
    if not shown:
        return ()
    says_caution = _says_caution(shown, texts)
    texts = replace(texts, long_answer=len(shown) >= LONG_ANSWER, says_caution=says_caution)
    texts = replace(texts, of_every_card=AnswerValues(texts))
    carried: dict[str, Suggestion] = {}
    cards: list[Card] = []
    for planned in shown:
        suggestions: list[Suggestion] = []
        notes: list[str] = []
        for offer in planned.offers:
            if offer.suggestion is not None and offer.key in carried:
                notes.append(phrase("order", "above", label=carried[offer.key].label))
                continue
            if offer.suggestion is not None:
                carried[offer.key] = offer.suggestion
                suggestions.append(offer.suggestion)
            if offer.note:
                notes.append(offer.note)
        last = planned is shown[-1]
        cards.append(composed(planned, texts, tuple(suggestions), tuple(notes), last=last))
    return tuple(cards)
