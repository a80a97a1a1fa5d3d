"""The source attributes of evidence-based decision support that US certification of health IT asks for, each with our
answer (45 CFR 170.315(b)(11)(iv)(A), rule HTI-1). They hold for all cards.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

REVISED = date(2026, 11, 27)  # of the statements in this folder
RELEASED = date(2026, 11, 22)  # the first version of the rules
DEVELOPER = "The crs-cds project (open source, Apache-2.0). The rules in force at a site are signed by a person there."
NOBODY_PAID = "None that is known to the project: no manufacturer, insurer or seller of tests or drugs paid for it."


@dataclass(frozen=True)
class Attribute:
    """One attribute with the answer of this service."""

    asked: str
    answer: str


# the day on which the thirteen names were last compared, and with what
COMPARED = date(2026, 11, 27)
COMPARED_WITH = (
    f"The names were compared on {COMPARED.isoformat()} with the paragraphs (1) to (13) of the regulation as two open "
    "programs quote them word by word; its own text could not be reached. A rule proposed on 29 December 2025 (HTI-5) "
    "would take requirements of this criterion away. We do not know whether it was adopted."
)
NOT_USED = "Not used."
ATTRIBUTES = (
    Attribute(
        "Bibliographic citation of the intervention (clinical research or guideline)",
        "Under each card: its sources, the weightiest first.",
    ),
    Attribute("Developer of the intervention (translation from clinical research or guideline)", DEVELOPER),
    Attribute("Funding source of the technical implementation", NOBODY_PAID),
    Attribute(
        "Release and revision dates of the intervention or reference source",
        f"Released {RELEASED.isoformat()}, revised {REVISED.isoformat()}; each source says when it was last read.",
    ),
    Attribute("Use of race", NOT_USED),
    Attribute("Use of ethnicity", NOT_USED),
    Attribute("Use of language", NOT_USED),
    Attribute("Use of sexual orientation", NOT_USED),
    Attribute("Use of gender identity", NOT_USED),
    Attribute("Use of sex", NOT_USED),
    Attribute(
        "Use of date of birth",
        "Used for the age: limits of blood pressure of children, the label's age of two years, and no computed dose "
        "of a corticosteroid below adult age. An unknown age is said, and no dose is computed.",
    ),
    Attribute("Use of social determinants of health data", NOT_USED),
    Attribute(
        "Use of health status assessments data",
        "Not used as the rule means them. The ICE score and the ICANS grade are read where a site charts them.",
    ),
)
ALSO_USED = "Of what a person is, only age and body weight are used: the dose of tocilizumab is by weight."
NOT_VALIDATED = (
    "The service was not validated prospectively, and no results by race, ethnicity, sex or social group are known, "
    "for it or for the study. Pulse oximetry may read too high on dark skin; a low saturation that is missed lowers "
    "the grade."
)
