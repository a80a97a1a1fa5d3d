"""Why a patient got these cards, as a page of text: what was read, each step to the grade and the folds, the rows.

Plain text for a terminal: what came from a record is stripped of control characters, not escaped for Markdown.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from decimal import Decimal

from cards.choose import Advice
from cards.deciding.card import Card
from cards.deciding.verdict import Category, Verdict
from cards.pages.grade_steps import grade_steps
from cards.pages.rows_in_words import rows_that_fired
from cards.pages.treatment_lines import caution, drug_lines
from cards.sentences.numbers_and_times import number, when
from cards.sentences.reasons import reason_words, tier_words
from cards.wording.evidence import fold_text
from cards.wording.state_lines import site_numbers
from fhir_mappings.facts.coverage import Completeness
from fhir_mappings.facts.labs import FoldChange, Sample
from fhir_mappings.facts.patient import PatientFacts
from fhir_mappings.facts.thresholds import Thresholds
from fhir_mappings.facts.time_and_range import Interval

WIDTH = 110


def explanation(facts: PatientFacts, found: Advice, t: Thresholds, rules_hash: str) -> str:
    """The page. Sections without anything to say are left out."""
    sections = {
        "Asked": [f"as of {_time(facts)}; numbers, codes and card modes in force: {rules_hash}", *site_numbers(t)],
        "Course": _course(facts, found),
        "Not read, or not used": not_used(facts),
        "IL-6": _series(facts, facts.il6, found.found.il6 if found.found else None, t, "il6"),
        "CRP": _series(facts, facts.crp, found.found.crp if found.found else None, t, "crp"),
        "Grade": grade_steps(facts, t),
        "Drugs": drug_lines(facts, t),
        "ICANS and caution": caution(facts),
        "Rows of the decision table": rows_that_fired(found, t),
        "Cards": _cards(found),
    }
    parts = [f"{title.upper()}\n" + "\n".join(_wrapped(lines)) for title, lines in sections.items() if lines]
    return "\n\n".join(parts) + "\n"


def plain(line: str) -> str:
    """Without control characters, which a record may hold."""
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
    if found.silence == "course_ended":
        lines.append("The course has ended: no cards. Ask for an earlier moment.")
    if facts.flags:
        lines.append(f"flags: {', '.join(facts.flags)}")
    return lines


def not_used(facts: PatientFacts) -> list[str]:
    """What could not be read, and what was set aside."""
    lines = [
        f"{kind.value}: {coverage.why or coverage.state.value}"
        for kind, coverage in facts.coverage.items()
        if coverage.state is not Completeness.COMPLETE
    ]
    return lines + [f"set aside: {a.reference}: {a.why}" for a in facts.set_aside]


def _series(facts: PatientFacts, fold: FoldChange, verdict: Verdict | None, t: Thresholds, name: str) -> list[str]:
    if verdict is None:
        return []
    samples = [f"{_drawn(facts, s):<13} {s.text:<16} {use.value:<10} {s.reference}" for s, use in fold.series]
    return [*samples, *rise(fold, verdict, t.il6_fold if name == "il6" else t.crp_fold, t)]


def rise(fold: FoldChange, verdict: Verdict, cut: Decimal, t: Thresholds) -> list[str]:
    """How the fold change came out, and what it proves."""
    lines: list[str] = []
    if fold.baseline_tier > 1:
        lines.append(f"the baseline was taken {tier_words(fold.baseline_tier, t)}")
    if fold.fold is not None and fold.baseline is not None and fold.peak is not None:
        ratio = f"{_shown(fold.peak.value)} ÷ {_shown(fold.baseline.value)} = {fold_text(fold.fold, cut)}"
        lines.append(f"rise: {ratio} (limit {cut}-fold)")
    if verdict.category is Category.UNKNOWN and verdict.reason is not None:
        lines.append(f"verdict: unknown – {reason_words(verdict.reason, t)}")
    else:
        after = " by a rise after tocilizumab, not the paper's definition" if verdict.after_tocilizumab else ""
        near = "; near the limit" if verdict.near_threshold else ""
        lines.append(f"verdict: {verdict.category.value}{after}{near}")
    return lines


def _drawn(facts: PatientFacts, sample: Sample) -> str:
    at = facts.local(sample.at.earliest)
    return f"{at.day} {at:%b}" if sample.at.is_date else when(at)


def _shown(value: Interval) -> str:
    if value.high == value.low:
        return number(value.low)
    return f"{number(value.low)}–{number(value.high) if value.high is not None else '∞'}"


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
    detail = [f"    {line}" for line in card.detail.splitlines() if line]
    orders = [f"    ( ) {s.label}" for s in card.suggestions]
    return [f"[{card.indicator.upper()}] {card.summary}", *detail, *orders, f"    Source: {card.source.label}", ""]
