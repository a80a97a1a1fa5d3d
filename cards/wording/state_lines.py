"""The lines of the crs-grade card: the assessment in full, and what it could not use."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from cards.deciding.decision_table import CardId
from cards.sentences.escaping import escaped, escaped_words
from cards.sentences.fitting import Line
from cards.sentences.icans_words import icans_line
from cards.sentences.numbers_and_times import InWords, when
from cards.sentences.phrases import phrase
from cards.sentences.set_aside_words import record_words, why_set_aside
from cards.sentences.treatment_words import blockers_given
from cards.wording.context import WordingContext
from cards.wording.evidence import EvidencePart, basis, doses_text, steroids_text
from cards.wording.fold_words import rise_in_short
from cards.wording.grade_words import drivers, grade_text, missing, nothing_low, zero_words
from cards.wording.row_words import driver_words
from cards.wording.wording import WORDING
from fhir_mappings.facts.coverage import Gap, Kind
from fhir_mappings.facts.flags import Flag
from fhir_mappings.facts.grade import CrsGrade, is_not_crs
from fhir_mappings.facts.thresholds import Thresholds, numbers


def state_lines(x: WordingContext) -> list[str]:
    """The lines of the crs-grade card: the assessment in full, and what it could not use."""
    facts, course, grade = x.facts, x.facts.course, x.grade
    if course is None:
        return []
    product = escaped_words(course.infusions[0].product)
    about = "" if course.time_known else " (time of day not known: hours are approximate)"
    lines = [
        f"**Day {course.day}** after {product}, infused {when(facts.local(course.start))}{about}.",
        *basis(facts, x.found, x.t, tuple(EvidencePart)),
    ]
    if grade.grade == 0:
        lines.append(zero_words(grade))
    lines.append(icans_line(x.facts, x.t, referenced=True))
    return [*lines, _blockers(x), *_of_course(x), *_of_user(x), *_of_site(x), *_not_used(x, MOST_SET_ASIDE)]


def state_in_short(x: WordingContext) -> list[Line]:
    """The same as a card of ten seconds has it: without references and times of samples."""
    facts, course, grade = x.facts, x.facts.course, x.grade
    if course is None:
        return []
    reasons, product = escaped_words(drivers(grade) or nothing_low(grade)), escaped_words(course.infusions[0].product)
    lacks = missing(grade, facts, x.t, escaped)
    not_known = escaped_words("; ".join(lacks.every))
    lines = [
        Line(f"Day {course.day} after {product}. **{_by_astct(grade)}**: {reasons}."),
        Line(f"Not known: {not_known}.{' Measure and chart it.' if lacks.absent else ''}" if not_known else ""),
        Line(zero_words(grade) if grade.grade == 0 and not is_not_crs(grade) else ""),
        *(Line(rise_in_short(facts, a, x.found.by_analyte.get(a), x.t)) for a in facts.followed),
        Line(doses_text(facts)),
        # a long answer names what was given on the cards that it matters to
        Line(steroids_text(facts, x.t), stays=not x.long_answer),
        Line(_blockers(x), stays=not x.long_answer),
        *map(Line, (*_not_used(x, MOST_IN_SHORT), *_of_user(x))),
        Line(icans_line(facts, x.t), stays=False),
        *(Line(line, stays=False) for line in (*_of_course(x), *_of_site(x))),
    ]
    return [Line(f"- {line.text}", line.stays) for line in lines if line.text]


def _by_astct(grade: CrsGrade) -> str:
    words = grade_text(grade)
    return f"{words[0].upper()}{words[1:]}" if is_not_crs(grade) else f"ASTCT {words}"


def _of_course(x: WordingContext) -> list[str]:
    """The lines on the course beside the grade and the rises."""
    facts, course, grade = x.facts, x.facts.course, x.grade
    lines = []
    beside = [driver_words(finding) for row in (grade.pressure, grade.oxygen) for finding in row.beside]
    if beside:
        lines.append(phrase("state", "beside", findings=escaped_words(", ".join(beside))))
    if Flag.SECOND_INFUSION in facts.flags:
        lines.append(phrase("state", "second_infusion"))
    if course is not None and course.days_since_last > x.t.study_days.days:
        lines.append(phrase("state", "late", day=course.day, t=InWords(x.t)))
    claimed = dict.fromkeys(claim.code for claim in facts.coded_crs)
    disagreeing = [c for c in claimed if grade.grade is None or c != f"D89.83{grade.grade}"]
    if disagreeing:
        lines.append(phrase("state", "coded", codes=escaped(", ".join(disagreeing))))
    return lines


def _blockers(x: WordingContext) -> str:
    return (
        phrase("state", "blockers", blockers=escaped_words(blockers_given(x.facts))) if x.facts.other_blockers else ""
    )


def _of_site(x: WordingContext) -> list[str]:
    """The numbers that this site has set otherwise."""
    own = site_numbers(x.t)
    return [phrase("state", "numbers", numbers="; ".join(own))] if own else []


def _of_user(x: WordingContext) -> list[str]:
    """The cards that this user dismissed, or that the site switched off: they never go unsaid."""
    lines = []
    if x.held:
        at = when(x.facts.local(max(one.at for one in x.held)))
        lines.append(phrase("state", "held", number=len(x.held), at=at, cards=_names(one.card for one in x.held)))
    if x.switched_off:
        lines.append(phrase("state", "off", cards=_names(x.switched_off)))
    return lines


def _names(cards: Iterable[CardId]) -> str:
    """The cards by the names that a user sees."""
    return ", ".join(WORDING[card].display for card in cards)


MOST_SET_ASIDE = 10
MOST_IN_SHORT = 2


def _not_used(x: WordingContext, most: int) -> list[str]:
    lines = []
    set_aside = list({a.reference: a for a in x.facts.set_aside if a.kinds or a.value_sets}.values())
    if x.unread:
        lines.append(phrase("state", "unread", kinds="; ".join(_unread_words(x, kind) for kind in x.unread)))
    if set_aside:
        aside = "; ".join(
            f"{record_words(x.facts, a, escaped)} ({why_set_aside(a, escaped)})" for a in set_aside[:most]
        )
        more = f" and {len(set_aside) - most} more" if len(set_aside) > most else ""
        lines.append(phrase("state", "set aside", resources=aside, more=more))
    return lines


def _unread_words(x: WordingContext, kind: Kind) -> str:
    coverage = x.facts.coverage.get(kind)
    if kind is Kind.PATIENT and coverage is not None and coverage.gap is Gap.NOT_KNOWN:
        return phrase("state", "not known")
    if coverage is None or coverage.since is None:
        return kind.value
    return f"{kind.value} before {when(x.facts.local(coverage.since))}"


@lru_cache(maxsize=16)
def site_numbers(t: Thresholds) -> tuple[str, ...]:
    """The numbers in which a site differs from the package, each with the package's own."""
    package = Thresholds()
    ours, theirs = InWords(package), InWords(t)
    changed = [n for n in numbers() if getattr(t, n.name) != getattr(package, n.name)]
    return tuple(f"{n.meaning} {getattr(theirs, n.name)} (package {getattr(ours, n.name)})" for n in changed)
