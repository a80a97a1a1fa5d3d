"""The lines of the crs-grade card: the assessment in full, and what it could not use."""

from __future__ import annotations

from collections.abc import Iterable

from cards.deciding.decision_table import CardId
from cards.sentences.escaping import escaped, escaped_words
from cards.sentences.icans_words import icans_line
from cards.sentences.numbers_and_times import InWords, when
from cards.sentences.phrases import phrase
from cards.sentences.set_aside_words import record_words, why_set_aside
from cards.sentences.treatment_words import blockers_given
from cards.wording.context import WordingContext
from cards.wording.evidence import EvidencePart, basis
from cards.wording.grade_words import zero_words
from cards.wording.row_words import driver_words
from cards.wording.wording import WORDING
from fhir_mappings.facts.coverage import Gap, Kind
from fhir_mappings.facts.flags import Flag
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
    beside = [driver_words(finding) for row in (grade.pressure, grade.oxygen) for finding in row.beside]
    if beside:
        lines.append(phrase("state", "beside", findings=escaped_words(", ".join(beside))))
    if facts.other_blockers:
        lines.append(phrase("state", "blockers", blockers=escaped_words(blockers_given(facts))))
    if Flag.SECOND_INFUSION in facts.flags:
        lines.append(phrase("state", "second_infusion"))
    if course.days_since_last > x.t.study_days.days:
        lines.append(phrase("state", "late", day=course.day, t=InWords(x.t)))
    lines.append(icans_line(x.facts, x.t))
    claimed = dict.fromkeys(claim.code for claim in facts.coded_crs)
    disagreeing = [c for c in claimed if grade.grade is None or c != f"D89.83{grade.grade}"]
    if disagreeing:
        lines.append(phrase("state", "coded", codes=escaped(", ".join(disagreeing))))
    return [*lines, *_of_site(x), *_not_used(x)]


def _of_site(x: WordingContext) -> list[str]:
    """The numbers and cards that this site, or this user, has set otherwise."""
    lines = []
    own = site_numbers(x.t)
    if own:
        lines.append(phrase("state", "numbers", numbers="; ".join(own)))
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


def _not_used(x: WordingContext) -> list[str]:
    lines = []
    set_aside = list({a.reference: a for a in x.facts.set_aside if a.kinds or a.value_sets}.values())
    if x.unread:
        lines.append(phrase("state", "unread", kinds="; ".join(_unread_words(x, kind) for kind in x.unread)))
    if set_aside:
        aside = "; ".join(
            f"{record_words(x.facts, a, escaped)} ({why_set_aside(a, escaped)})" for a in set_aside[:MOST_SET_ASIDE]
        )
        more = f" and {len(set_aside) - MOST_SET_ASIDE} more" if len(set_aside) > MOST_SET_ASIDE else ""
        lines.append(phrase("state", "set aside", resources=aside, more=more))
    return lines


def _unread_words(x: WordingContext, kind: Kind) -> str:
    coverage = x.facts.coverage.get(kind)
    if kind is Kind.PATIENT and coverage is not None and coverage.gap is Gap.NOT_KNOWN:
        return phrase("state", "not known")
    if coverage is None or coverage.since is None:
        return kind.value
    return f"{kind.value} before {when(x.facts.local(coverage.since))}"


def site_numbers(t: Thresholds) -> list[str]:
    """The numbers in which a site differs from the package, each with the package's own."""
    package = Thresholds()
    ours, theirs = InWords(package), InWords(t)
    changed = [n for n in numbers() if getattr(t, n.name) != getattr(package, n.name)]
    return [f"{n.meaning} {getattr(theirs, n.name)} (package {getattr(ours, n.name)})" for n in changed]
