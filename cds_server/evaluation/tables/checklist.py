"""`checklist.csv`: what reporting guidelines ask, and where the report answers or who must."""

from __future__ import annotations

from cds_server.evaluation.tables.table import Table

YOURS = "yours to write"
ITEMS = (
    ("STROBE 1", "title and abstract", YOURS),
    ("STROBE 2–3", "background and objectives", YOURS),
    ("STROBE 4–5", "design, setting, dates", "How it was done; setting: yours to write"),
    ("STROBE 6", "eligibility and follow-up", "Page one (who is in); How it was done (protocol)"),
    ("STROBE 7", "definition of variables", "How it was done (protocol, codes)"),
    ("STROBE 8", "data sources and measurement", "Inventory; How it was done (times)"),
    ("STROBE 9", "bias", "The study's comparisons; sources of bias at your site: yours to write"),
    ("STROBE 10", "study size", "Page one (who is in)"),
    ("STROBE 11", "quantitative variables", "Markers; How it was done (protocol)"),
    ("STROBE 12", "statistical methods", "How it was done; docs/evaluate.md has a paragraph"),
    ("STROBE 13", "participants at each step", "Page one (who is in)"),
    ("STROBE 14", "descriptive data and missing data", "Cohort (Table 1, not known)"),
    ("STROBE 15–16", "outcomes and main results with limits", "CRS; Markers; The study's comparisons"),
    ("STROBE 17", "subgroups and sensitivity", "Cohort (subgroups); The study's comparisons (not known counted)"),
    ("STROBE 18–21", "discussion", YOURS),
    ("STROBE 22", "funding", YOURS),
    ("RECORD 1.1–1.3", "type and name of databases in the title", YOURS),
    (
        "RECORD 6.1–6.3",
        "selection by codes, validation, linkage",
        "How it was done (codes); validation: yours to write",
    ),
    ("RECORD 7.1", "complete list of codes", "How it was done (codes)"),
    ("RECORD 12.1–12.3", "access to data, cleaning, linkage", "Inventory; access and linkage: yours to write"),
    ("RECORD 13.1", "selection of persons", "Page one (who is in)"),
    ("RECORD 19.1", "limits of routine data", "docs/evaluate.md; your own: yours to write"),
    ("RECORD 22.1", "protocol, raw data, programming code", "protocol.toml; version and rules' hash on the page"),
    ("TRIPOD+AI 5–6", "data, participants", "Inventory; Page one"),
    ("TRIPOD+AI 8", "outcome", "How it was done (protocol)"),
    ("TRIPOD+AI 9", "predictors", "Markers"),
    ("TRIPOD+AI 11", "missing data", "Cohort (not known); unknown is never imputed"),
    ("TRIPOD+AI 12", "analysis: performance, optimism", "Markers"),
    ("TRIPOD+AI 14", "fairness: subgroups", "Cohort (subgroups)"),
    ("TRIPOD+AI 23", "performance with limits", "Markers; no calibration: the rule gives a group, not a risk"),
    ("TRIPOD+AI 25–27", "interpretation, limitations, use", YOURS),
)


def checklist() -> Table:
    return Table("checklist", ("item", "asks_for", "where"), ITEMS)
