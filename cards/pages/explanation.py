"""The explanation of one answer as a page of text: the data read, each step to the grade and the folds, the rows.

It is plain text for a terminal, so text from a record loses its control characters and is not escaped for Markdown.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

from cards.choose import Advice
from cards.deciding.card import Card
from cards.deciding.rules_version import CITED_RULES
from cards.deciding.situation import Verdicts
from cards.deciding.visible import Silence
from cards.pages.grade_steps import grade_steps
from cards.pages.rise_lines import series
from cards.pages.rows_in_words import rows_that_fired
from cards.pages.treatment_lines import caution, drug_lines
from cards.sentences.numbers_and_times import when
from cards.sentences.set_aside_words import record_words, why_set_aside
from cards.wording.state_lines import site_numbers
from fhir_mappings.facts.coverage import Completeness
from fhir_mappings.facts.patient import PatientFacts
from fhir_mappings.facts.thresholds import Thresholds

WIDTH = 110


def explanation(facts: PatientFacts, found: Advice, t: Thresholds, rules_hash: str) -> str:
    """The page as text. A section with nothing to say is left out."""
    sections = {
        "Asked": [f"as of {_time(facts)}; {CITED_RULES}, hash {rules_hash}", *site_numbers(t)],
        "Course": _course(facts, found),
        "Not read, or not used": not_used(facts),
        **_rises(facts, found.verdicts, t),
        "Grade": grade_steps(facts, t),
        "Drugs": drug_lines(facts, t),
        "ICANS and caution": caution(facts, t),
        "Rows of the decision table": rows_that_fired(found, t),
        "Cards": _cards(found),
    }
    parts = [f"{title.upper()}\n" + "\n".join(_wrapped(lines)) for title, lines in sections.items() if lines]
    return "\n\n".join(parts) + "\n"


def plain(line: str) -> str:
    """The line without control characters, which a record may hold."""
    return "".join(c if c.isprintable() else " " for c in line)


def _wrapped(lines: Iterable[str]) -> list[str]:
    found: list[str] = []
    for line in lines:
        clean = plain(line)
        indent = len(clean) - len(clean.lstrip())
        hanging = " " * (indent + 2)
        found += textwrap.wrap(clean, WIDTH, initial_indent="  ", subsequent_indent="  " + hanging) or [""]
    return found


def _time(facts: PatientFacts) -> str:
    return facts.local(facts.as_of).isoformat(sep=" ", timespec="minutes")


def _course(facts: PatientFacts, found: Advice) -> list[str]:
    course = facts.course
    if facts.deceased:
        return ["The patient has died: no cards."]
    if course is None:
        return [f"No CAR-T infusion found ({facts.course_search.value})."]
    lines = [f"day {course.day} (day 0 is {course.day0:%d %b %Y}, the local date of the first infusion)"]
    for infusion in course.infusions:
        at = when(facts.local(infusion.start)) if infusion.time_known else f"{facts.local(infusion.start):%d %b}"
        lines.append(f"{infusion.product}, {at} ({', '.join(infusion.references)})")
    if found.silence is Silence.COURSE_ENDED:
        lines.append("The course has ended: no cards. Ask for an earlier moment.")
    if facts.flags:
        lines.append(f"flags: {', '.join(facts.flags)}")
    return lines


def not_used(facts: PatientFacts) -> list[str]:
    """The data that could not be read, and the resources that were set aside."""
    lines = [
        f"{kind.value}: {coverage.why or coverage.state.value}"
        for kind, coverage in facts.coverage.items()
        if coverage.state is not Completeness.COMPLETE
    ]
    return lines + [f"set aside: {a.reference}: {record_words(facts, a)}: {why_set_aside(a)}" for a in facts.set_aside]


def _rises(facts: PatientFacts, found: Verdicts | None, t: Thresholds) -> dict[str, list[str]]:
    """A section for each analyte that is followed."""
    if found is None:
        return {}
    return {a.name: series(facts, a, found.by_analyte.get(a), t) for a in facts.followed}


def _cards(found: Advice) -> list[str]:
    lines: list[str] = []
    for card in found.cards:
        lines += _card(card)
    if not found.cards:
        lines.append(f"none ({found.silence})")
    if found.shadowed:
        lines.append(f"in trial at this site, not shown: {', '.join(found.shadowed)}")
    return lines


def _card(card: Card) -> list[str]:
    detail = [f"    {line}" for line in (*card.detail.splitlines(), *card.background.splitlines()) if line]
    orders = [f"    ( ) {s.label}" for s in card.suggestions]
    return [f"[{card.indicator.upper()}] {card.summary}", *detail, *orders, f"    Source: {card.source.label}", ""]
