"""The values of the grade behind the `{names}` in `wording`."""

from __future__ import annotations

from cards.sentences.escaping import escaped, escaped_words, short
from cards.sentences.numbers_and_times import InWords
from cards.sentences.phrases import phrase
from cards.wording.context import WordingContext
from cards.wording.grade_words import drivers, fever_line, grade_text, missing, why_in_short
from fhir_mappings.facts.flags import Flag
from fhir_mappings.facts.grade import CrsGrade, is_not_crs


def of_grade(x: WordingContext) -> dict[str, str]:
    grade, course = x.grade, x.facts.course
    words = grade_text(grade)
    why = escaped_words(drivers(grade)) or f"fever in the last {InWords(x.t).fever_window}"
    doubtful = grade.grade is None and grade.provisional > 0
    return {
        "grade": words,
        "Grade": words[0].upper() + words[1:],
        "drivers": why,
        "grade_why": why_words(why_in_short(grade)),
        "day": str(course.day if course else ""),
        "fever": fever_line(grade, x.facts, x.t),
        "provisional": str(grade.provisional),
        "provisional_words": phrase("provisional_words", "some" if doubtful else "none", provisional=grade.provisional),
        "late": phrase("late", "yes" if Flag.LATE_AFTER_WAIVER in grade.flags else "no"),
        "severe_work_up": phrase("severe_work_up", "severe" if grade.provisional >= 3 else "other"),
        "work_up": phrase("work_up", "severe" if grade.provisional >= 3 else "other"),
        **_of_missing(x, grade),
        "grade_unknown": phrase("grade_unknown", _how_unknown(grade), grade=words, provisional=grade.provisional),
        "persists": phrase("persists", "progressed" if x.facts.progressed else "no"),
    }


def _of_missing(x: WordingContext, grade: CrsGrade) -> dict[str, str]:
    """The words for what is not known. What could not be used is not called missing, nor asked for again."""
    full, in_summary = missing(grade, x.facts, x.t, escaped), missing(grade, x.facts, x.t, short)
    absent = [f"Missing: {'; '.join(full.absent)}"] if full.absent else []
    absent_short = [f"missing {'; '.join(in_summary.absent)}"] if in_summary.absent else []
    lost = [f"{words[0].upper()}{words[1:]}" for words in full.not_used]
    alone = [f"{words}." for words in lost] if grade.grade is None or grade.minimum or grade.grade == 0 else []
    return {
        "missing": escaped_words(". ".join((*lost, *absent))) or "Nothing is missing that could raise the grade",
        "missing_short": "; ".join((*in_summary.not_used, *absent_short)) or "nothing is missing",
        "not_used": escaped_words(" ".join(alone)),
        "not_normal": phrase("not_normal", "absent" if full.absent else "not used"),
    }


def _how_unknown(grade: CrsGrade) -> str:
    if grade.grade is not None:
        return "no fever" if is_not_crs(grade) else "minimum" if grade.grade else "zero"
    return "provisional" if grade.provisional > 0 else "none"


def why_words(found: tuple[str, ...]) -> str:
    """` (SBP 84)`; "" for nothing."""
    return f" ({', '.join(found)})" if found else ""
