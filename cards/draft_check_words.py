"""What a drafted tocilizumab was checked against, in words."""

from __future__ import annotations

from datetime import datetime

from cards.evidence import (
    reference_text,
)
from cards.orders import ordered_at
from cards.shown import when
from cards.situation import counted_starts, uncharted_tocilizumab
from cards.state_lines import zero_words
from cards.texts import Texts
from fhir_mappings.clinical_facts import hours_ago


def of_draft_checks(x: Texts) -> dict[str, str]:
    """What a drafted tocilizumab was checked against."""
    facts = x.facts
    starts = counted_starts(facts, x.drafts)
    last = max(starts, default=facts.as_of)
    given = ", ".join(when(facts.local(s)) for s in facts.tocilizumab.safety_starts) or "none"
    least = "" if facts.tocilizumab.history_complete else "at least "
    pending = [
        f"ordered{ordered_at(facts, o.authored)}, not yet charted" for o in uncharted_tocilizumab(facts, x.drafts)
    ]
    beside = len(starts) - len(facts.tocilizumab.safety_starts) - len(pending)
    pending += ["another draft in this call"] * beside
    return {
        "counted": f"Doses of tocilizumab of this course and the last 30 days: {least}{given}"
        + (f"; {'; '.join(pending)}" if pending else ""),
        "counted_last": "beside another order" if last == facts.as_of and pending else _after(last, facts.as_of),
        "counted_next": when(facts.local(last + x.t.dose_interval)),
        "counted_number": f"{least}{len(starts)} doses",
        "hypersensitivity": reference_text(facts.tocilizumab_hypersensitivity or ""),
        "zero": zero_words(x.grade) if x.grade.grade == 0 else "",
    }


def _after(then: datetime, now: datetime) -> str:
    return f"{hours_ago(then, now).removesuffix(' ago')} after the last dose started"
