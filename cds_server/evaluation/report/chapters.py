"""The chapters of the page: what stands in which order, and the words beside each table."""

from __future__ import annotations

from collections.abc import Iterator

from cds_server.evaluation.protocol import Cards
from cds_server.evaluation.report import charts
from cds_server.evaluation.report.all_tables import Report
from cds_server.evaluation.report.page_one import page_one
from cds_server.evaluation.report.part import Chapter, Part
from cds_server.evaluation.rows.cohort import Evaluation
from cds_server.evaluation.tables.comparisons import UnknownCounted
from cds_server.evaluation.tables.markers import STUDY
from cds_server.evaluation.tables.protocol_file import as_rows
from cds_server.evaluation.tables.table import Table

AT_STUDY_CUT = (
    "marker", "measure", "endpoint", "window", "n", "events", "unknown", "auc", "auc_low", "auc_high", "study_cut",
    "study_sensitivity", "study_sensitivity_low", "study_sensitivity_high", "study_specificity",
    "study_specificity_low", "study_specificity_high", "note",
)  # fmt: skip
SHARES = (
    "endpoint", "stratum", "treated_events", "treated_n", "treated_share", "treated_share_low", "treated_share_high",
    "untreated_events", "untreated_n", "untreated_share", "untreated_share_low", "untreated_share_high", "unknown",
    "difference", "low", "high", "test", "p", "note",
)  # fmt: skip
OWN_CUT = ("marker", "measure", "endpoint", "window", "own_cut", "own_cut_low", "own_cut_high", "j_apparent",
           "j_corrected")  # fmt: skip
_COMPETES = ("Resolution competes, so this is not 1 − Kaplan-Meier.",)
NOT_AN_EFFECT = (
    "Not an effect. Who got tocilizumab was decided by how the course went, and the groups "
    "by IL-6 are formed by what happened after the infusion. A difference here says how the "
    "groups differ, never what the drug did.",
    "Treatment paradox: the sickest are treated most, and treated courses lose their fever by the drug.",
)


def chapters(evaluation: Evaluation, report: Report) -> tuple[Chapter, ...]:
    """All chapters in their order. A part without anything to show says why."""
    return (
        page_one(report, evaluation.run.policy),
        _inventory(report, evaluation.charting.failed),
        _cohort(report),
        _crs(report),
        _markers(report),
        _comparisons(evaluation, report),
        _cards(evaluation, report),
        _two_rule_sets(report),
        _how(evaluation, report),
    )


def _sentence(note: str) -> str:
    return f"{note[:1].upper()}{note[1:]}."


def _inventory(report: Report, failed: str) -> Chapter:
    t = report.tables
    return Chapter(
        "inventory",
        "1 Inventory",
        (
            Part(
                "Resources by type",
                ("A type that ends months before the others was exported in part. inventory.csv has every month.",),
                table=t.inventory_by_type,
            ),
            *_by_code(report, failed),
            Part(
                "Since when a value was known",
                ("Without a time of reporting, a result counts from the draw and a delay.",),
                table=t.availability,
            ),
        ),
    )


def _by_code(report: Report, failed: str) -> Iterator[Part]:
    """The inventory by code: of all patients of the export, those without a course too."""
    t = report.tables
    if failed:
        yield Part("By code", (f"The inventory by code could not be made ({failed}).",))
    if t.concepts.rows:
        columns = ("title", "type", "resources", "patients", "first_day", "last_day", "names")
        yield Part("Codes in use", ("Of the whole export, as the rules read it.",), table=t.concepts.only(*columns))
    if t.absent.rows:
        yield Part("Not in the export", table=t.absent.only("title", "needed"))
    if t.set_aside.rows:
        yield Part("Set aside, and why", table=t.set_aside)
    if t.not_known.rows:
        yield Part(
            "Looks like ours and is not known",
            ("crs-cds coverage writes the line for a value set of yours that makes each of them known.",),
            table=t.not_known,
        )
    if t.other_codes.rows:
        yield Part("Other codes of Observations", ("What nothing here reads.",), table=t.other_codes)


def _cohort(report: Report) -> Chapter:
    t = report.tables
    return Chapter(
        "cohort",
        "2 Cohort",
        (
            Part(
                "Table 1 of the study",
                (
                    "First courses with tocilizumab and without. A standardised difference above 0.1 in size "
                    "is usually called an imbalance; a p-value stands only if the protocol asks for it.",
                    "Beside them later courses (a second infusion), which no comparison counts, and the first courses "
                    "without a baseline of IL-6, which are in neither group by IL-6.",
                ),
                table=t.table1,
            ),
            Part("Not known", table=t.missing),
            Part(
                "Severe CRS in subgroups",
                (
                    "First courses, with exact limits. Most subgroups are small, and limits that overlap are no proof "
                    "that two are alike. Burden stands here where outcomes.csv has x-burden.",
                ),
                table=t.subgroups,
            ),
            Part(
                "By quarter",
                (
                    "By the quarter of day 0. A change of practice, of products or of charting shows here; the limits "
                    "of one quarter are wide.",
                ),
                table=t.quarters,
            ),
        ),
    )


def _crs(report: Report) -> Chapter:
    t = report.tables
    return Chapter(
        "crs",
        "3 CRS",
        (
            Part(
                "Highest grade of each course",
                (
                    "Grade 5 is never computed: it stands only where the outcomes or a diagnosis say that "
                    "CRS was the cause of death.",
                ),
                table=t.highest_grades,
            ),
            Part(
                "Onset",
                (
                    "The first fever in its time. Fever beside bacteria in a culture may be an infection's: the second "
                    "line leaves those courses out. Where no culture was taken near the onset, nobody can tell.",
                ),
                table=t.onset,
                caption="Onset day: median (quartiles); shares with exact limits.",
            ),
            Part(
                "ICANS and doses",
                (
                    "All courses, with exact limits. ICANS: the highest by what was charted or coded up to day 30, or "
                    "as supplied; unknown is no none.",
                ),
                table=t.icans_and_doses,
            ),
            Part(
                "Grade by day",
                (
                    "Courses with at least one sign charted on that day: who went home, or died, is in no bar. A drop "
                    "of the bars is no recovery.",
                ),
                chart=charts.grades_by_day(t.grade_by_day),
                table=t.grade_by_day,
            ),
            Part(
                "Duration",
                (
                    "From the first to the last positive sign, of courses that ended; the median of Kaplan "
                    "and Meier counts the others too. Treated courses lose their fever by the drug.",
                ),
                table=t.durations,
                caption="Days: median (quartiles).",
            ),
        ),
    )


def _markers(report: Report) -> Chapter:
    t = report.tables
    parts = [
        Part(
            "How well the rise tells them apart",
            (
                "First the study's cut as it does here; below, with at least ten events and ten others, the best cut "
                "of these patients, its J corrected for having been chosen here. No such cut is written into a "
                "thresholds file.",
                "Rows with uneven windows repeat the study: samples end at the first dose, so treated "
                "courses have had less time to rise.",
                "There is no calibration slope: the rule gives a group, not a risk.",
            ),
            table=t.markers.only(*AT_STUDY_CUT),
        ),
        Part(
            "The best cut of these patients",
            ("For discussion, not for use: it was chosen where it is judged.",),
            table=t.markers.only(*OWN_CUT).where(lambda row: row["own_cut"] is not None),
            empty="Not fitted: see the notes above.",
        ),
    ]
    for marker, (cut, _) in STUDY.items():
        picture = charts.rises(t.rises, marker, cut)
        if picture:
            name = {"il6": "IL-6", "crp": "CRP"}[marker]
            parts.append(Part(f"Rise of {name} by highest grade", chart=picture))
    notes = (
        "IL-10 and ferritin, after the infusion and before the first IL-6 blocker, up to day 30. For display only: "
        "nothing is concluded from them, and no cut is sought.",
    )
    caption, empty = "Peak: median (quartiles).", "Neither was measured."
    parts.append(Part("Peaks of other markers", notes, table=t.displayed_markers, caption=caption, empty=empty))
    return Chapter("markers", "4 Markers", tuple(parts))


def _comparisons(evaluation: Evaluation, report: Report) -> Chapter:
    t, asked, statistics = report.tables, evaluation.protocol.comparisons, evaluation.protocol.statistics
    return Chapter(
        "comparisons",
        "5 The study's comparisons on these data: not an effect",
        (
            Part(
                "Shares with tocilizumab and without",
                (
                    "Shares with exact limits, differences with Newcombe's. A p-value stands only beside a "
                    f"comparison that the protocol lists; with fewer than {asked.fragile_below_events} events the note "
                    "beside it says what one event more would make of it.",
                ),
                chart=charts.differences(t.comparisons),
                table=t.comparisons.only(*SHARES, *_ways_counted(t.comparisons)),
            ),
            Part(
                f"From {asked.landmark_hours} h after onset",
                (_sentence(report.landmark_note), *(_COMPETES if t.landmark.rows else ())),
                chart=charts.incidence(t.landmark),
                table=t.landmark if t.landmark.rows else None,
            ),
            Part(
                "The drug as it comes with time",
                (
                    "Cause-specific hazard of severe CRS. Adjusted for a grade of 2 or more "
                    f"{asked.grade_before_hours} h before, and for burden where outcomes.csv has x-burden, with "
                    f"{statistics.events_a_term} events a term at least.",
                ),
                table=t.hazards,
            ),
            Part(
                "What ever or never makes of a drug that does nothing",
                (
                    "Simulated cohorts; a hazard ratio of 1 is the truth. Whoever was treated had, until "
                    "then, become neither severe nor well: that time is counted for the drug.",
                ),
                table=t.no_effect,
            ),
        ),
        NOT_AN_EFFECT,
    )


def _ways_counted(table: Table) -> tuple[str, ...]:
    """The column of how the unknown are counted, where some row counts them."""
    return ("unknown_counted",) if set(table.column("unknown_counted")) - {UnknownCounted.LEFT_OUT.value} else ()


def _cards(evaluation: Evaluation, report: Report) -> Chapter:
    t, asked = report.tables, evaluation.protocol.cards
    return Chapter(
        "cards",
        "6 The cards",
        (
            Part(
                "How often",
                (
                    f"Moments: {evaluation.run.policy}. Every rate depends on that policy. Rates are per patient and "
                    "10 days at risk, and per course; limits draw patients. New: not shown in the "
                    f"{asked.new_after_hours} h before with the same indicator.",
                    report.days_note,
                    *_of_the_hold(asked),
                ),
                table=t.card_rates,
            ),
            Part("By hour of the day", ("The picture stands on page one.",), table=t.cards_by_hour),
            Part(
                "Shown and not shown",
                (_which_count(asked),),
                table=t.card_states,
            ),
            Part(
                "Orders after a card",
                (
                    "Episodes of a card whose order was not already in hand; limits of shares draw patients. "
                    "Severe after no treatment, of those not yet severe, is kept apart: it is no proof that the "
                    "card was right.",
                ),
                table=t.orders_after,
            ),
            Part(
                "Alarms and silences",
                ("Limits of courses are exact; those of days draw patients.",),
                table=t.false_alarms,
            ),
        ),
    )


def _which_count(cards: Cards) -> str:
    if cards.as_configured:
        return "Active cards alone count as shown. Cards that are tried in shadow or off are never counted."
    return "Active and shadow cards count as shown, as if the service were live. Cards that are off are never counted."


def _of_the_hold(cards: Cards) -> tuple[str, ...]:
    if not cards.hold_hours:
        return ()
    return (
        f"A lower bound: one user dismisses each card that may wait at the moment it is shown, for {cards.hold_hours} "
        "h. Checks of an order are never held back.",
    )


def _two_rule_sets(report: Report) -> Chapter:
    t = report.tables
    if not t.compare.rows:
        alone = "Only one rule set was asked; --compare FILE asks a second one at the same moments."
        return Chapter("compare", "7 Two rule sets", (Part("What changes with the other rules", (alone,)),))
    return Chapter(
        "compare",
        "7 Two rule sets",
        (
            Part("Where the rules differ", table=t.changed_rules, empty="Nowhere: both are the same."),
            Part(
                "Cards by the site's rules and by the other ones",
                (
                    "A day counts as different if a card came on it by one rule set alone. Rates are per patient and "
                    "10 days at risk; the difference is the other rules' rate minus the site's, and its limits draw "
                    "patients with both of their rates.",
                ),
                table=t.compare,
            ),
            Part(
                "Events preceded by a card",
                ("It does not say which rules are better: more cards precede more events.",),
                table=t.compare_events,
            ),
            Part("Courses with a card that differs", table=t.compare_courses),
        ),
    )


def _how(evaluation: Evaluation, report: Report) -> Chapter:
    tests = f"{report.tests} p-values stand on this page; none is corrected for their number."
    return Chapter(
        "how",
        "8 How it was done",
        (
            Part("Protocol", (tests,), table=Table("protocol", ("definition", "value"), as_rows(evaluation.protocol))),
            Part("Thresholds in force", table=report.tables.thresholds),
            Part("Codes of each definition", table=report.tables.codes),
            Part("What reporting guidelines ask", table=report.tables.checklist),
        ),
    )
