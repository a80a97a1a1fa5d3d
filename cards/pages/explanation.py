"""Why a patient got these cards, as a page of text: what was read, each step to the grade and the folds, the rows.

Plain text for a terminal: what came from a record is stripped of control characters, not escaped for Markdown.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from decimal import Decimal

from cards.choose import Advice
from cards.deciding.card import Card
from cards.deciding.decision_table import Rule, rows_for
from cards.deciding.verdict import Category, Verdict
from cards.sentences.numbers_and_times import InWords, number, when
from cards.sentences.reasons import reason_words, tier_words
from cards.wording.caution_words import infection_words
from cards.wording.evidence import dose_time, drivers, fever_line, fold_text, grade_if_crs, grade_text, missing
from cards.wording.state_lines import site_numbers, zero_words
from fhir_mappings.facts.coverage import Completeness
from fhir_mappings.facts.grade import CrsGrade, Row
from fhir_mappings.facts.labs import FoldChange, Sample
from fhir_mappings.facts.patient import Icans, PatientFacts
from fhir_mappings.facts.thresholds import Thresholds
from fhir_mappings.facts.time_and_range import Interval

WIDTH = 110


def explanation(facts: PatientFacts, found: Advice, t: Thresholds, rules_hash: str) -> str:
    """The page. Sections without anything to say are left out."""
    sections = {
        "Asked": [f"as of {_time(facts)}; numbers, codes and card modes in force: {rules_hash}", *site_numbers(t)],
        "Course": _course(facts, found),
        "Not read, or not used": not_used(facts),
        "IL-6": _series(facts, facts.il6, found.verdicts.il6 if found.verdicts else None, t, "il6"),
        "CRP": _series(facts, facts.crp, found.verdicts.crp if found.verdicts else None, t, "crp"),
        "Grade": _grade(facts, t),
        "Drugs": _drugs(facts, t),
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


def _grade(facts: PatientFacts, t: Thresholds) -> list[str]:
    grade = facts.grade
    if grade is None:
        return []
    lines = [f"fever: {fever_line(grade, facts, t)}"]
    for name, row in (("blood pressure and vasopressors", grade.pressure), ("oxygen", grade.oxygen)):
        lines.append(f"{name}: {_row(row)}")
    lines.append(f"together: {together(grade)}")
    if missing(grade, t):
        lines.append(f"not known: {'; '.join(missing(grade, t))}")
    if facts.grade_at_dose_2 is not None:
        told = {True: "progressed since", False: "not progressed since", None: "progress since cannot be told"}
        then = facts.grade_at_dose_2
        lines.append(f"at the start of dose 2: {grade_text(then)}; {told[facts.progressed]}")
    return lines


def _row(row: Row) -> str:
    least = "" if row.exact else "at least "
    words = "; ".join([*row.drivers, *(f"missing {m}" for m in row.missing)])
    state = "unknown" if row.unknown else f"{least}grade {row.value}"
    return f"{state}{' – ' + words if words else ''}"


def together(grade: CrsGrade) -> str:
    """The grade with what makes it; without one what it would be."""
    if grade.grade is None:
        would_be = grade_if_crs(grade)
        return f"no grade ({grade.fever.value})" + (f"; {would_be} if this is CRS" if would_be else "")
    why = "; ".join(filter(None, (drivers(grade), zero_words(grade) if grade.grade == 0 else "")))
    return f"{grade_text(grade)}{' – ' + why if why else ''}"


def _drugs(facts: PatientFacts, t: Thresholds) -> list[str]:
    if facts.grade is None:
        return []
    history = facts.tocilizumab
    lines = [
        f"tocilizumab dose {n}: {dose_time(facts, d)} ({', '.join(d.references)})"
        for n, d in enumerate(history.doses, 1)
    ]
    if not history.doses:
        lines.append("tocilizumab: no dose in this course")
    if not history.history_complete:
        lines.append("tocilizumab: the history could not all be read, earlier doses may be missing")
    for given in facts.steroids:
        equal = f", {number(given.dexamethasone_mg)} mg of dexamethasone" if given.dexamethasone_mg else ""
        lines.append(f"{given.ingredient}: {when(facts.local(given.at))}{equal} ({given.reference})")
    if facts.weight is not None:
        weight = facts.weight
        lines.append(f"weight: {number(weight.kg)} kg, {when(facts.local(weight.at))} ({weight.reference})")
    else:
        lines.append(f"weight: none of the last {InWords(t).weight_age}")
    lines += [
        f"ordered, not charted: {order.drug.ingredient if order.drug else ', '.join(sorted(order.sets)) or 'other'} "
        f"({order.reference})"
        for order in facts.pending
    ]
    return lines


def icans_short(icans: Icans) -> str:
    """`grade 2`, `at least grade 3`, `unknown`."""
    if icans.grade is None:
        return "unknown"
    return f"{'at least ' if icans.minimum else ''}grade {icans.grade}"


def caution(facts: PatientFacts) -> list[str]:
    """ICANS, blood counts, liver enzymes, infection, hypersensitivity."""
    if facts.grade is None:
        return []
    icans = facts.icans
    words = f"{icans_short(icans)} ({icans.words}, {icans.reference})" if icans.grade is not None else "unknown"
    higher = f"; a recent diagnosis says more: {icans.coded_higher}" if icans.coded_higher else ""
    lines = [f"ICANS: {words}{higher}{' – ' + icans.why if icans.why else ''}"]
    labs = facts.labs
    for name, lab in (
        ("ANC", labs.neutrophils), ("platelets", labs.platelets), ("ALT", labs.alt), ("AST", labs.ast),
    ):  # fmt: skip
        if lab is not None:
            lines.append(f"{name}: {number(lab.value)}, {when(facts.local(lab.at))} ({lab.reference})")
    if facts.infections:
        lines.append(f"infection: {infection_words(facts)}")
    if facts.tocilizumab_hypersensitivity:
        lines.append(f"hypersensitivity to tocilizumab: {facts.tocilizumab_hypersensitivity}")
    return lines


def rows_that_fired(found: Advice, t: Thresholds) -> list[str]:
    """The rows of the decision table that gave a card."""
    if found.cell is None:
        return []
    return [rule_words(rule, t) for rule in rows_for(found.cell) if rule.gives]


def rule_words(rule: Rule, t: Thresholds) -> str:
    """`M05  grade: 2; IL-6: high → toci-recommended (warning). Zhang 2022`."""
    gives = ", ".join(f"{card} ({indicator})" for card, indicator in rule.gives)
    return f"{rule.id}  {conditions(rule, t) or 'always'} → {gives}. {rule.source}"


def conditions(rule: Rule, t: Thresholds) -> str:
    """What a row asks for, in words: `grade: 2; IL-6: ≥4-fold`."""
    shown = []
    for name, allowed in rule.when.items():
        members = [m for m in type(next(iter(allowed))) if m in allowed]
        words = [str(m.value).format(t=InWords(t)) for m in members]
        listed = " or ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
        shown.append(f"{CONDITIONS[name]}: {listed}")
    return "; ".join(shown)


CONDITIONS = {
    "phase": "day", "grade": "grade", "provisional": "would be grade", "doubt": "signs", "il6": "IL-6",
    "crp": "CRP", "doses": "doses", "progress": "since dose 2", "toci_in_play": "tocilizumab",
    "il6_order": "IL-6 sample", "toci_draft": "tocilizumab", "interval": "last dose", "dose_count": "doses counted",
    "hypersensitivity": "hypersensitivity", "exactness": "grade is", "icans": "ICANS", "product": "product",
    "infected": "infection", "dose_check": "drafted dose", "data_doubt": "data",
}  # fmt: skip


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
