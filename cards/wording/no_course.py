"""The one card without a course: something that may have been a CAR-T infusion could not be read."""

from __future__ import annotations

from cards.deciding.card import Card, joined, shortened
from cards.deciding.decision_table import CardId, Indicator
from cards.sentences.escaping import escaped, reference_text
from cards.wording.wording import NO_COURSE_DETAIL, NO_COURSE_SUMMARY, OVERRIDE_REASONS, PROTOCOL, WORDING
from fhir_mappings.facts.coverage import Kind
from fhir_mappings.facts.patient import PatientFacts


def no_course_card(facts: PatientFacts) -> Card:
    wording = WORDING[CardId.DATA_QUALITY]
    coverage = facts.coverage.get(Kind.ADMINISTRATIONS)
    since = coverage.since if coverage else None
    back_to = f" back to {facts.local(since):%d %b %Y}" if since else ""
    lost = [a for a in facts.set_aside if a.infusion]
    why = "A diagnosis claims CAR-T cells, CRS or ICANS." if facts.recent_coded_claim else "Tocilizumab is drafted."
    if lost:
        why = f"{reference_text(lost[0].reference)} could not be used ({escaped(lost[0].why)})."
    reasons = [f"{kind.value}: {c.why}" for kind, c in facts.coverage.items() if c.why]
    detail = NO_COURSE_DETAIL.format(why=why, back_to=back_to)
    unread = "Not read: " + escaped("; ".join(reasons[:4])) + "." if reasons else ""
    return Card(
        CardId.DATA_QUALITY,
        wording.display,
        Indicator.INFO,
        shortened(NO_COURSE_SUMMARY.format(back_to=back_to)),
        joined([detail, unread, PROTOCOL]),
        wording.source,
        override_reasons=OVERRIDE_REASONS,
    )
