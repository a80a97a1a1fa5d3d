"""The publications that the rules rest on: what each is, who paid for it, in whom it was done, and when it was read.

`read` is the day on which someone last compared the rules with the source. A test fails when a source was not read for
twelve months (`docs/safety/sources.md` is made from this table).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

FIRST_READING, SECOND_READING = date(2026, 11, 22), date(2026, 11, 26)
NOT_STATED = "not known to us"


class SourceId(StrEnum):
    ASTCT = "astct-2019"
    ASCO = "asco-2021"
    LABEL = "tocilizumab-label"
    LABEL_OF_OTHERS = "tocilizumab-label-other-indications"
    ZHANG = "zhang-2022"
    PRODUCT_LABELS = "product-labels"
    LATE_CRS = "blood-adv-2024"
    EARLY_TOCILIZUMAB = "pmc10329191"
    PALS = "pals"
    ICANS_METHYLPREDNISOLONE = "pmc10573998"
    WORK_UP = "pmc9978889"


class Reading(StrEnum):
    """The part of a source that was read."""

    WHOLE = "the whole text, without figures and supplements"
    SECOND_HAND = "second-hand: tables and summaries that quote it"
    EXCERPT = "the passages that the rules use"
    ABSTRACT = "the abstract or one table"
    NOT_YET = "not read yet: known by quotation only, so what rests on it is unconfirmed"


@dataclass(frozen=True)
class EvidenceSource:
    """One publication. `funding` and `population` are its own; `read` is the day of the last reading."""

    citation: str
    kind: str
    funding: str
    population: str
    reading: Reading
    read: date
    url: str | None = None


SOURCES: Mapping[SourceId, EvidenceSource] = {
    SourceId.ASTCT: EvidenceSource(
        "Lee DW et al. ASTCT consensus grading for cytokine release syndrome and neurologic toxicity associated with "
        "immune effector cells. Biol Blood Marrow Transplant 2019;25:625–638",
        "Expert consensus",
        NOT_STATED,
        "recipients of immune effector cells, children and adults",
        Reading.SECOND_HAND,
        FIRST_READING,
        "https://doi.org/10.1016/j.bbmt.2018.12.758",
    ),
    SourceId.ASCO: EvidenceSource(
        "Santomasso BD et al. Management of immune-related adverse events in patients treated with chimeric antigen "
        "receptor T-cell therapy: ASCO guideline. J Clin Oncol 2021;39:3978–3992",
        "Guideline, mostly expert consensus",
        "American Society of Clinical Oncology",
        "adults after CAR-T cells",
        Reading.SECOND_HAND,
        SECOND_READING,
        "https://ascopubs.org/doi/10.1200/JCO.21.01992",
    ),
    SourceId.LABEL: EvidenceSource(
        "Tocilizumab, US prescribing information, section on cytokine release syndrome",
        "Product label",
        "the manufacturer",
        "patients of two years and older with severe or life-threatening CRS after CAR-T cells",
        Reading.SECOND_HAND,
        FIRST_READING,
    ),
    SourceId.LABEL_OF_OTHERS: EvidenceSource(
        "Tocilizumab, US prescribing information, limits of neutrophils, platelets and transaminases, and boxed "
        "warning",
        "Product label",
        "the manufacturer",
        "patients with rheumatoid arthritis; the label weighs these limits otherwise in CRS",
        Reading.SECOND_HAND,
        FIRST_READING,
    ),
    SourceId.ZHANG: EvidenceSource(
        "Zhang et al. Front Immunol 2022;13:914959",
        "Retrospective analysis of patients of two trials (NCT02965092, NCT04008251)",
        "National Key Research and Development Program of China, National Natural Science Foundation of China, Natural "
        "Science Foundation of Hubei Province; the cells came from Wuhan Sian Medical Technology",
        "67 patients of 13 to 65 years with relapsed or refractory B-ALL, one centre, murine or humanised CD19 CAR-T "
        "cells of that centre",
        Reading.WHOLE,
        SECOND_READING,
        "https://doi.org/10.3389/fimmu.2022.914959",
    ),
    SourceId.PRODUCT_LABELS: EvidenceSource(
        "Labels of axicabtagene, brexucabtagene, lisocabtagene and idecabtagene, as quoted by the study and by "
        "summaries",
        "Product labels and NCCN, by quotation",
        "the manufacturers; National Comprehensive Cancer Network",
        "patients of each product",
        Reading.NOT_YET,
        SECOND_READING,
    ),
    SourceId.LATE_CRS: EvidenceSource(
        "Blood Adv 2024;8:5346: onset of CRS after axicabtagene, tisagenlecleucel or lisocabtagene",
        "Retrospective cohort",
        NOT_STATED,
        "475 patients; no new CRS was seen after day 14",
        Reading.ABSTRACT,
        SECOND_READING,
    ),
    SourceId.EARLY_TOCILIZUMAB: EvidenceSource(
        "PMC10329191, table 1: tocilizumab before CRS, against none",
        "Publication of which one table was read",
        NOT_STATED,
        "patients after CAR-T cells; ICANS of grade 3 or more 41 % against 28 %, severe CRS 3 % against 13 %",
        Reading.ABSTRACT,
        SECOND_READING,
        "https://pmc.ncbi.nlm.nih.gov/articles/PMC10329191/",
    ),
    SourceId.PALS: EvidenceSource(
        "Lowest systolic pressure by age (PALS), as given in PMC6882047 and by Mahadeo et al. 2019",
        "Guideline, by quotation",
        NOT_STATED,
        "children; above 12 years the limit lies below the fifth centile",
        Reading.SECOND_HAND,
        FIRST_READING,
        "https://pmc.ncbi.nlm.nih.gov/articles/PMC6882047/",
    ),
    SourceId.ICANS_METHYLPREDNISOLONE: EvidenceSource(
        "PMC10573998: methylprednisolone in ICANS of grade 4",
        "Publication of which one passage was read",
        NOT_STATED,
        "patients after CAR-T cells",
        Reading.EXCERPT,
        SECOND_READING,
        "https://pmc.ncbi.nlm.nih.gov/articles/PMC10573998/",
    ),
    SourceId.WORK_UP: EvidenceSource(
        "PMC9978889, table 2: work-up of fever, and limits of pressure and oxygen",
        "Publication of which one passage was read",
        NOT_STATED,
        "patients after CAR-T cells",
        Reading.EXCERPT,
        FIRST_READING,
        "https://pmc.ncbi.nlm.nih.gov/articles/PMC9978889/",
    ),
}
