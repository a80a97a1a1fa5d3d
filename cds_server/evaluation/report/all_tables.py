"""Every table of a report, made once: the page and the CSVs take the same ones."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

from cds_server.evaluation.aggregate.sums_of_tables import Totals
from cds_server.evaluation.aggregate.tables import aggregated, without_few_later_courses
from cds_server.evaluation.rows.cohort import Evaluation
from cds_server.evaluation.tables import (
    agreement,
    cards,
    cohort,
    comparisons,
    durations,
    markers,
    onset,
    preceded,
    run,
    time_to_severe,
    two_rule_sets,
)
from cds_server.evaluation.tables.checklist import checklist
from cds_server.evaluation.tables.reading_list import Strip, listed, worth_reading
from cds_server.evaluation.tables.run import (
    availability,
    changed_rules,
    codes,
    inventory,
    inventory_by_type,
    missing,
    rises_by_grade,
    thresholds,
    unread,
)
from cds_server.evaluation.tables.table import Table


@dataclass(frozen=True)
class Tables:
    """The tables by name; OF_PATIENTS are those with a row a course, or a row an event of one, or texts of a chart."""

    flow: Table
    unread: Table
    availability: Table
    inventory: Table
    inventory_by_type: Table
    concepts: Table
    absent: Table
    set_aside: Table
    not_known: Table
    other_codes: Table
    missing: Table
    highest_grades: Table
    grade_by_day: Table
    table1: Table
    onset: Table
    icans_and_doses: Table
    durations: Table
    subgroups: Table
    quarters: Table
    markers: Table
    displayed_markers: Table
    rises: Table
    comparisons: Table
    landmark: Table
    hazards: Table
    no_effect: Table
    agreement: Table
    agreement_in_figures: Table
    card_rates: Table
    card_states: Table
    cards_by_hour: Table
    preceded: Table
    orders_after: Table
    false_alarms: Table
    compare: Table
    compare_courses: Table
    compare_events: Table
    changed_rules: Table
    worth_reading: Table
    thresholds: Table
    codes: Table
    checklist: Table


OF_PATIENTS = frozenset(
    {"compare_courses", "concepts", "landmark", "not_known", "other_codes", "rises", "set_aside", "worth_reading"}
)


OF_SINGLE_EVENTS = "left out of an aggregate report, because each step of the curve is a single course"


@dataclass(frozen=True)
class Report:
    """The tables with what the page says beside them."""

    tables: Tables
    strips: tuple[Strip, ...]
    landmark_note: str
    days_note: str
    aggregate_only: bool

    @property
    def tests(self) -> int:
        """The number of p-values on the page."""
        tables = (getattr(self.tables, field.name) for field in fields(Tables))
        return sum(isinstance(cell, float) for table in tables if "p" in table.columns for cell in table.column("p"))


def report_of(evaluation: Evaluation, *, aggregate_only: bool = False) -> Report:
    """The tables of an evaluation; of an aggregate report without any row of a patient and without small counts."""
    least = evaluation.protocol.statistics.small_cell
    if aggregate_only:
        evaluation = without_few_later_courses(evaluation, least)
    acts = agreement.acts(evaluation)
    told = cards.told(evaluation)
    after = time_to_severe.after_onset(evaluation)
    strips = worth_reading(evaluation, acts.rows)
    tables = Tables(
        flow=cohort.flow(evaluation),
        unread=unread(evaluation),
        availability=availability(evaluation),
        inventory=inventory(evaluation),
        inventory_by_type=inventory_by_type(evaluation),
        concepts=run.concepts(evaluation),
        absent=run.absent(evaluation),
        set_aside=run.set_aside(evaluation),
        not_known=run.not_known(evaluation),
        other_codes=run.other_codes(evaluation),
        missing=missing(evaluation),
        highest_grades=cohort.highest_grades(evaluation),
        grade_by_day=cohort.grade_by_day(evaluation),
        table1=cohort.table_1(evaluation),
        onset=onset.onset(evaluation),
        icans_and_doses=onset.icans_and_doses(evaluation),
        durations=durations.durations(evaluation),
        subgroups=cohort.subgroups(evaluation),
        quarters=cohort.quarters(evaluation),
        markers=markers.markers(evaluation),
        displayed_markers=markers.displayed(evaluation),
        rises=rises_by_grade(evaluation),
        comparisons=comparisons.comparisons(evaluation),
        landmark=time_to_severe.landmark(after, evaluation.protocol),
        hazards=time_to_severe.hazards(after, evaluation.protocol),
        no_effect=time_to_severe.no_effect(evaluation.protocol.statistics.seed),
        agreement=agreement.agreement(acts),
        agreement_in_figures=agreement.agreement_in_figures(evaluation, acts),
        card_rates=cards.card_rates(evaluation, told),
        card_states=cards.card_states(told),
        cards_by_hour=cards.by_hour(told),
        preceded=preceded.preceded(evaluation),
        orders_after=preceded.orders_after(evaluation),
        false_alarms=cards.false_alarms(evaluation, told),
        compare=two_rule_sets.compared(evaluation, told),
        compare_courses=two_rule_sets.compared_courses(evaluation, told),
        compare_events=two_rule_sets.compared_events(evaluation),
        changed_rules=changed_rules(evaluation),
        worth_reading=listed(strips),
        thresholds=thresholds(evaluation),
        codes=codes(evaluation),
        checklist=checklist(),
    )
    if not aggregate_only:
        note = time_to_severe.landmark_note(after, evaluation.protocol)
        return Report(tables, tuple(strips), note, cards.days_note(told), aggregate_only=False)
    of_all = _aggregated(tables, Totals.of(evaluation), least)
    return Report(of_all, (), OF_SINGLE_EVENTS, cards.days_note(told, least), aggregate_only=True)


def _aggregated(tables: Tables, totals: Totals, least: int) -> Tables:
    found = {field.name: getattr(tables, field.name) for field in fields(Tables)}
    kept = {
        name: Table(table.name, table.columns, ()) if name in OF_PATIENTS else aggregated(table, totals, least)
        for name, table in found.items()
    }
    return replace(tables, **kept)
