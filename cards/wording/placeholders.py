"""The values of one patient behind the `{names}` in `wording`, as text that is safe in Markdown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal

from cards.deciding.verdict import Category
from cards.deciding.when_to_show import Planned
from cards.sentences.escaping import escaped, escaped_words, short
from cards.sentences.numbers_and_times import InWords
from cards.sentences.phrases import phrase, phrase_of
from cards.sentences.reasons import is_to_draw, verdict_reason
from cards.wording.caution_words import of_caution
from cards.wording.context import WordingContext
from cards.wording.draft_check_words import of_draft_checks, of_steroid_check
from cards.wording.evidence import bullets
from cards.wording.fold_words import fold_short, fold_text, is_up, side_of_limit
from cards.wording.icans_card_words import of_icans
from cards.wording.infection_words import anc_count, of_infection, sign_words
from cards.wording.placeholders_of_cause import of_cause, of_grade_1, of_severe
from cards.wording.placeholders_of_grade import of_grade
from cards.wording.placeholders_of_treatment import of_doses, of_offers, product_treated_early, said_once
from cards.wording.protocol_words import of_protocol
from fhir_mappings.facts.analytes import CRP, IL6
from fhir_mappings.facts.labs import Reason
from fhir_mappings.facts.time_and_range import Interval


class AnswerValues(dict[str, object]):
    """The values of ⟨names⟩ that are the same on every card of an answer. No answer asks for all of them, so a group is
    worked out when a sentence first asks for one of its names."""

    def __init__(self, x: WordingContext) -> None:
        super().__init__({"t": InWords(x.t), "state": ""})
        self._x = x

    def __missing__(self, name: str) -> object:
        for group in GROUPS:
            if name in _names_of(group, self._x):
                self.update(group(self._x))
                return self[name]
        raise KeyError(name)


class CardValues(dict[str, object]):
    """The value of every ⟨name⟩ in `wording` for one card: its own, then those of the answer."""

    def __init__(self, x: WordingContext, planned: Planned, notes: tuple[str, ...]) -> None:
        super().__init__()
        self._x, self._planned, self._notes = x, planned, notes

    def __missing__(self, name: str) -> object:
        if name in _HOLDING_VALUES:
            value: object = phrase_of(name, str(self[_HOLDING_VALUES[name]]), self)
        elif name == "anc_count":
            value = anc_count(self._x, self._planned.id)
        elif name == "offers":
            value = escaped_words(said_once(" ".join(self._notes), self._planned, str(self["Given"])))
        elif name in _names_of(of_offers, self._x, self._planned):
            self.update(of_offers(self._x, self._planned))
            return self[name]
        else:
            value = self._x.of_every_card[name]
        self[name] = value
        return value


_NAMES: dict[Callable[..., Mapping[str, object]], frozenset[str]] = {}


def _names_of(group: Callable[..., Mapping[str, object]], *of: object) -> frozenset[str]:
    """The names of a group, which are the same for every patient: it is asked for them once."""
    if group not in _NAMES:
        _NAMES[group] = frozenset(group(*of))
    return _NAMES[group]


# the parts of a sentence that hold other values, and the value that says which way they read
_HOLDING_VALUES = {
    "severe_summary": "severe_how",
    "grade1_summary": "grade1_how",
    "surveillance_summary": "surveillance_how",
    "surveillance_reason": "surveillance_because",
    "state_summary": "state_how",
    "icans_early": "icans_early_how",
}


def _of_surveillance(x: WordingContext) -> dict[str, str]:
    counted = x.facts.infection.counted
    return {
        "surveillance_how": "infection" if counted else "crp",
        "surveillance_because": "crp" if x.found.crp.category is Category.HIGH else "infection",
        "sign": sign_words(replace(counted[0], finding=short(counted[0].finding))) if counted else "",
    }


def _of_labs(x: WordingContext) -> dict[str, str]:
    il6, crp, t = x.facts.il6, x.facts.crp, x.t
    after = x.found.crp.after_tocilizumab and crp.fold_after_blockade is not None
    crp_fold = _fold_or(crp.fold_after_blockade if after else crp.fold, t.crp_fold)
    how = "after" if after else "before" if crp.fold is not None else "unknown"
    il6_fold = _fold_or(il6.fold, t.il6_fold)
    return {
        "il6": fold_short(il6, x.found.il6, t.il6_fold) + _to_draw(x),
        "il6_only": phrase("il6_only", "up" if il6.fold is not None and is_up(il6.fold) else "not up", fold=il6_fold),
        "il6_fold": il6_fold,
        "il6_fold_md": escaped_words(il6_fold),
        "il6_beside": side_of_limit(il6, x.found.il6, IL6, t),
        "il6_reason": verdict_reason(x.facts, IL6, x.found.il6.reason or Reason.NO_PEAK, t, escaped),
        "crp": fold_short(crp, x.found.crp, t.crp_fold),
        "crp_fold": crp_fold,
        "crp_words": phrase(
            "crp_words", how, fold=escaped_words(crp_fold), beside=side_of_limit(crp, x.found.crp, CRP, t)
        ),
    }


def _to_draw(x: WordingContext) -> str:
    reason = x.found.il6.reason
    return " (draw one)" if reason is not None and is_to_draw(x.facts, IL6, reason, x.t) else ""


def _fold_or(fold: Interval | None, cut: Decimal) -> str:
    return fold_text(fold, cut) if fold is not None else "by an unknown factor"


def _of_doubts(x: WordingContext) -> dict[str, str]:
    lines = x.doubts.lines
    first = lines[0] if lines else ""
    return {
        "data_short": first.rstrip("."),
        "data_doubts": bullets(list(lines)),
    }


def _of_products(x: WordingContext) -> dict[str, str]:
    return {"product": product_treated_early(x)}


GROUPS: tuple[Callable[[WordingContext], Mapping[str, object]], ...] = (
    of_grade, _of_labs, of_doses, _of_doubts, of_draft_checks, of_steroid_check, of_caution, of_infection, of_icans,
    of_cause, of_severe, of_grade_1, _of_surveillance, of_protocol, _of_products,
)  # fmt: skip
