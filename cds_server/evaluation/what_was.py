"""The first reading of a course: what was, from the final chart, whatever was known of it at the time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal

from cards.deciding.situation import verdicts
from cds_server.evaluation.courses import Followed, Look
from cds_server.evaluation.episode import (
    SEVERE,
    Charted,
    Episode,
    charted_in,
    episode_of,
    first_at_least,
    hours_decided,
    hours_known,
    local_days,
    spans_at_least,
    steps,
    steps_within,
)
from cds_server.evaluation.graded import Act, administrative_gender, coded_grades, crs_acts, icans_acts, scored_icans
from cds_server.evaluation.marker_rows import STUDY, as_drawn, marker_rows, window_ends
from cds_server.evaluation.protocol import FollowUp
from cds_server.evaluation.reading.charts import Chart
from cds_server.evaluation.reading.retrospective import retrospective
from cds_server.evaluation.rows.courses import (
    ChartedGradeRow,
    CourseFlag,
    CourseRow,
    GradeDayRow,
    GradeSource,
    Group,
    Known,
    MarkerRow,
)
from cds_server.evaluation.treatments import GivenDose, steroid_doses, tocilizumab_doses
from fhir_mappings.course_history import WholeHistory, whole_history
from fhir_mappings.facts.coverage import Completeness, Kind
from fhir_mappings.facts.treatment import DrugClass
from fhir_mappings.fold_changes import blockers_of, first_blocker
from fhir_mappings.infections import finding_of
from fhir_mappings.known_at.timeline import Timeline
from fhir_mappings.reading.fhir_time import day
from fhir_mappings.rules.grade_history import GradeAt
from fhir_mappings.settled_facts import settled_facts
from fhir_mappings.vital_signs import observed_at

MOST_MOMENTS = 2000  # of the grade in one course; a denser chart is thinned, and its row says so
_HOUR = timedelta(hours=1)
_NO_MARKER = MarkerRow("", 0, "", "")


@dataclass(frozen=True)
class WhatWas:
    """A course in hindsight: its row, and what the second reading and the other tables need of it."""

    row: CourseRow
    markers: tuple[MarkerRow, ...]
    days: tuple[GradeDayRow, ...]
    charted_grades: tuple[ChartedGradeRow, ...]
    history: WholeHistory
    tocilizumab: tuple[GivenDose, ...]
    steroids: tuple[GivenDose, ...]


def what_was(patient: str, followed: Followed, chart: Chart, look: Look, timeline: Timeline) -> WhatWas | None:
    """The course in hindsight; None where the chart of that time holds none that can be used."""
    record = timeline.at(followed.until)
    history = whole_history(record, look.context(chart, followed.until), MOST_MOMENTS)
    if history is None:
        return None
    protocol, t = look.protocol, look.rules.thresholds
    episode = episode_of(history, followed.until, protocol.follow_up, t)
    given, start = history.found.given, followed.course.start
    toci, steroids = tocilizumab_doses(given, start, protocol.cards), steroid_doses(given, start, protocol.cards)
    blocked = first_blocker(blockers_of(given, history.past.course))
    ends = window_ends(followed, look, blocked, episode.onset, first_at_least(history, SEVERE))
    markers = tuple(marker_rows(patient, followed, chart, look, as_drawn(chart, look, timeline), ends))
    writer = _CourseWriter(patient, followed, chart, look, history, episode)
    days = tuple(writer.days())
    grades = tuple(writer.charted_grades())
    row = writer.row(days, grades, markers, (toci, steroids), _verdict_at_dose(chart, look, timeline, toci))
    return WhatWas(row, markers, days, grades, history, toci, steroids)


def _verdict_at_dose(chart: Chart, look: Look, timeline: Timeline, doses: Sequence[GivenDose]) -> str:
    """The verdict on IL-6 that a call a second before the first dose would have given."""
    if not doses:
        return ""
    at = doses[0].start - timedelta(seconds=1)
    facts = settled_facts(timeline.at(at), look.context(chart, at))
    return verdicts(facts, look.rules.thresholds).il6.category.value if facts.course is not None else ""


class _CourseWriter:
    """The row of a course and its days."""

    def __init__(
        self, patient: str, followed: Followed, chart: Chart, look: Look, history: WholeHistory, episode: Episode
    ) -> None:
        self._patient, self._followed, self._chart, self._look = patient, followed, chart, look
        self._history, self._episode = history, episode
        self._charted: Charted = charted_in(history)
        self._until, self._zone = followed.until, followed.zone

    def days(self) -> Iterator[GradeDayRow]:
        """Each local day from day 0 to the end of the course."""
        first = self._followed.course.day0
        last = self._until.astimezone(self._zone).date()
        signs, temperatures = self._by_day(self._charted.all), self._by_day(self._charted.temperatures)
        for number in range((last - first).days + 1):
            local = first + timedelta(days=number)
            span = day(local, self._zone)
            grades = _grades_within(self._history, span.earliest, min(span.latest, self._until))
            highest = max((g for g in grades if g.grade.grade is not None), key=_height, default=None)
            known = hours_known(self._history, span.earliest, min(span.latest, self._until))
            yield GradeDayRow(
                self._patient, self._followed.number, number, local, signs.get(local, 0) > 0, signs.get(local, 0),
                temperatures.get(local, 0), highest.grade.grade if highest is not None else None,
                highest is not None and highest.grade.minimum, _tenths(known),
            )  # fmt: skip

    def charted_grades(self) -> Iterator[ChartedGradeRow]:
        """Each act of charting a grade, beside the grade that is computed at its time."""
        pool, rules, since = self._chart.record.pool, self._look.rules, self._followed.course.start
        observed = retrospective(pool, rules.terms, self._zone, self._until, rules.thresholds)
        coded = coded_grades(pool, rules.terms, "coded-crs", self._zone, since, self._until)
        for act in (*crs_acts(observed, since, self._until), *coded):
            computed = _grade_at(self._history, act.at)
            grade = computed.grade.grade if computed is not None else None
            yield self._charted_grade("crs", act, grade, is_minimum=computed is not None and computed.grade.minimum)
        acts = icans_acts(self._history)
        for act in (*acts, *coded_grades(pool, rules.terms, "coded-icans", self._zone, since, self._until)):
            charted = act.source is GradeSource.CHARTED
            scored = scored_icans(acts, act.at, rules.thresholds.icans_window) if charted else None
            grade = scored.grade if scored is not None else None
            yield self._charted_grade("icans", act, grade, is_minimum=scored is not None and scored.is_minimum)

    def _charted_grade(self, scale: str, act: Act, computed: int | None, *, is_minimum: bool) -> ChartedGradeRow:
        number = self._followed.number
        return ChartedGradeRow(
            self._patient, number, scale, act.at, act.grade, computed, is_minimum, act.source, self._day_of(act.at)
        )

    def row(
        self,
        days: Sequence[GradeDayRow],
        grades: Sequence[ChartedGradeRow],
        markers: Sequence[MarkerRow],
        doses: tuple[Sequence[GivenDose], Sequence[GivenDose]],
        verdict_at_dose: str,
    ) -> CourseRow:
        course, history, episode = self._history.past.course, self._history, self._episode
        infused, end, onset = course.infusions[0], episode.end, episode.onset
        worst = max((g for g in history.grades if g.grade.grade is not None), key=_first_height, default=None)
        share = self._share_known()
        icans = [one for one in grades if one.scale == "icans" and one.day <= self._follow.icans_until_day]
        stated = [one for one in icans if one.charted is not None]
        worst_icans = max(stated, key=lambda one: (one.charted or 0, -one.at.timestamp()), default=None)
        toci, steroids = doses
        given_read = self._chart.record.coverage[Kind.ADMINISTRATIONS].state is not Completeness.UNREAD
        il6 = next((m for m in markers if (m.marker, m.window) == ("il6", STUDY)), _NO_MARKER)
        crp = next((m for m in markers if (m.marker, m.window) == ("crp", STUDY)), _NO_MARKER)
        crs, severe = self._crs(days), self._severe(days, share)
        death = self._followed.death
        died = death.at if death is not None and death.at is not None and self._dies_here(death.at) else None
        pool = self._chart.record.pool
        age = history.past.age(course.start)
        return CourseRow(
            patient=self._patient, course=self._followed.number, infused_at=course.start, day0=course.day0,
            infusions=len(course.infusions), product=infused.product,
            sex=administrative_gender(pool, self._chart.patient), age_years=age.years if age is not None else None,
            followed_until=self._until, days_followed=len(days),
            crs=crs, onset=onset, onset_day=self._day_of(onset) if onset is not None else None,
            onset_hours=_tenths((onset - course.start) / _HOUR) if onset is not None and infused.time_known else None,
            late_fever=episode.late,
            max_grade=worst.grade.grade if worst is not None else None,
            max_grade_at=worst.at if worst is not None else None,
            max_grade_is_minimum=worst is not None and worst.grade.minimum,
            first_grade_2=first_at_least(history, 2), first_grade_3=first_at_least(history, 3),
            first_grade_4=first_at_least(history, 4), severe=severe, grade_known_share=share,
            crs_end=end, end_is_censored=episode.censored,
            duration_days=_tenths((end - onset) / timedelta(days=1)) if onset is not None and end is not None else None,
            duration_local_days=local_days(onset, end, history) if onset is not None and end is not None else None,
            recrudescences=episode.recrudescences,
            icans=self._icans_known(icans), max_icans=worst_icans.charted if worst_icans is not None else None,
            max_icans_at=worst_icans.at if worst_icans is not None else None,
            icans_before_first_dose=_before_dose(icans, toci),
            tocilizumab=self._given(toci, DrugClass.TOCILIZUMAB), first_tocilizumab=toci[0].start if toci else None,
            tocilizumab_doses=len(toci), steroids=self._given(steroids, DrugClass.STEROID),
            first_steroid=steroids[0].start if steroids else None, steroid_doses=len(steroids),
            il6_group=il6.group, il6_reason=il6.reason, il6_verdict_at_first_dose=verdict_at_dose,
            il6_baseline=_one(il6.baseline_low, il6.baseline_high), il6_peak=_one(il6.peak_low, il6.peak_high),
            il6_fold_low=il6.fold_low, il6_fold_high=il6.fold_high,
            crp_group=crp.group if crp is not _NO_MARKER else Group.UNKNOWN, crp_reason=crp.reason,
            crp_baseline=_one(crp.baseline_low, crp.baseline_high), crp_peak=_one(crp.peak_low, crp.peak_high),
            crp_fold_low=crp.fold_low, crp_fold_high=crp.fold_high,
            death=died, died_in_severe=died is not None and self._in_severe(died),
            last_seen=max((at for at in self._charted.all if course.start <= at <= self._until), default=course.start),
            grade_2_times=tuple(spans_at_least(history, 2, self._until)),
            flags=tuple(self._flags(undated_death=death is not None and death.at is None)),
            treatment_reached=given_read,
        )  # fmt: skip

    @property
    def _follow(self) -> FollowUp:
        return self._look.protocol.follow_up

    def _by_day(self, times: Sequence[datetime]) -> dict[date, int]:
        found: dict[date, int] = {}
        for at in times:
            local = at.astimezone(self._zone).date()
            found[local] = found.get(local, 0) + 1
        return found

    def _day_of(self, at: datetime) -> int:
        return (at.astimezone(self._zone).date() - self._followed.course.day0).days

    def _crs(self, days: Sequence[GradeDayRow]) -> Known:
        """CRS is a first fever in its time. None is unknown where temperatures of half of those days are too few, where
        they were read in part, or where the export ends before the last of those days."""
        if self._episode.onset is not None:
            return Known.YES
        course = self._followed.course
        last = (course.last_infused - course.day0).days + self._follow.late_fever_after_days
        if not self._is_read(Kind.VITALS) or (self._followed.cut and len(days) <= last):
            return Known.UNKNOWN
        watched = [one for one in days if one.day <= last]
        rare = sum(one.temperatures < 2 for one in watched)
        return Known.UNKNOWN if 2 * rare >= max(len(watched), 1) else Known.NO

    def _share_known(self) -> Decimal | None:
        onset, end = self._episode.onset, self._episode.end
        if onset is None or end is None:
            return None
        hours = (end - onset) / _HOUR
        return Decimal(1) if hours == 0 else _hundredths(hours_decided(self._history, onset, end) / hours)

    def _severe(self, days: Sequence[GradeDayRow], share: Decimal | None) -> Known:
        """Severe CRS is known by one moment of grade 3. Without CRS there is none: a grade after a late first fever is
        in the columns of the grade alone."""
        if self._episode.onset is None:
            return self._crs(days)
        if first_at_least(self._history, SEVERE) is not None:
            return Known.YES
        enough = share is not None and share >= self._follow.grade_known_share
        goes_on = self._followed.cut and self._episode.censored
        return Known.NO if enough and not goes_on else Known.UNKNOWN

    def _icans_known(self, icans: Sequence[ChartedGradeRow]) -> Known:
        """None is known only where a grade was charted in time, and nothing that states no single grade ("0-1")."""
        if any(one.charted for one in icans):
            return Known.YES
        charted = any(one.day <= self._follow.icans_charted_until_day for one in icans)
        stated = self._is_read(Kind.NEURO) and all(one.charted is not None for one in icans)
        return Known.NO if charted and stated and not self._followed.cut else Known.UNKNOWN

    def _given(self, doses: Sequence[GivenDose], drug: DrugClass) -> bool | None:
        """Tell whether a drug was given; None where an administration that could not be used, or whose drug nothing
        names, may have been of it."""
        reach = self._history.found.given_reach(self._chart.record.coverage, frozenset({drug}))
        return True if doses else False if reach.whole(self._followed.course.start, self._until) else None

    def _is_read(self, kind: Kind) -> bool:
        """Tell whether the export has all data of a kind. In one that it has in part, none means nothing."""
        return self._chart.record.coverage[kind].covers(self._followed.course.start)

    def _dies_here(self, at: datetime) -> bool:
        last = self._followed.course.last_infused + timedelta(days=self._follow.days)
        return self._followed.course.start <= at <= day(last, self._zone).latest

    def _in_severe(self, died: datetime) -> bool:
        since = died - timedelta(days=self._follow.died_in_severe_days)
        return any(
            (one.grade.grade or 0) >= SEVERE and until >= since for one, until in steps(self._history, self._until)
        )

    def _flags(self, *, undated_death: bool) -> Iterator[CourseFlag]:
        course, episode = self._history.past.course, self._episode
        found = {
            CourseFlag.INFUSION_TIME_UNKNOWN: not course.time_known,
            CourseFlag.SPLIT_DOSE: len(course.infusions) > 1,
            CourseFlag.CUT: self._followed.cut,
            CourseFlag.LATE_FEVER: episode.late is not None,
            CourseFlag.RECRUDESCENCE: episode.recrudescences > 0,
            CourseFlag.END_CENSORED: episode.censored,
            CourseFlag.GRADE_IS_MINIMUM: any(one.grade.minimum for one in self._history.grades),
            CourseFlag.DEATH_WITHOUT_DATE: undated_death,
            CourseFlag.SET_ASIDE: bool(self._history.found.set_aside or self._history.observations.set_aside),
            CourseFlag.THINNED: self._history.thinned,
        }
        yield from (flag for flag, holds in found.items() if holds)
        yield from self._culture_near_onset()

    def _culture_near_onset(self) -> Iterator[CourseFlag]:
        """A positive culture of about the onset, or that none was taken: a first fever may then be an infection's."""
        onset, near = self._episode.onset, timedelta(hours=self._follow.culture_near_onset_hours)
        if onset is None:
            return
        cultures = self._history.observations.of("blood-culture", "urine-culture")
        taken = [one for one in cultures if abs(observed_at(one.at, self._until) - onset) <= near]
        if any(finding_of(one, self._look.rules.terms) is not None for one in taken):
            yield CourseFlag.CULTURE_NEAR_ONSET
        elif not taken:
            yield CourseFlag.NO_CULTURE_NEAR_ONSET


def _height(one: GradeAt) -> tuple[int, bool]:
    return (one.grade.grade or 0, one.grade.minimum)


def _first_height(one: GradeAt) -> tuple[int, float]:
    """The highest grade, and of several moments the first."""
    return (one.grade.grade or 0, -one.at.timestamp())


def _grades_within(history: WholeHistory, start: datetime, end: datetime) -> list[GradeAt]:
    return [one for one, until in steps_within(history, start, end) if until > start]


def _grade_at(history: WholeHistory, at: datetime) -> GradeAt | None:
    return next((one for one in reversed(history.grades) if one.at <= at), None)


def _before_dose(icans: Sequence[ChartedGradeRow], doses: Sequence[GivenDose]) -> bool | None:
    first = min((one.at for one in icans if one.charted), default=None)
    return None if first is None or not doses else first < doses[0].start


def _one(low: Decimal | None, high: Decimal | None) -> Decimal | None:
    return low if low == high else None


def _tenths(number: float) -> Decimal:
    return Decimal(repr(number)).quantize(Decimal("0.1"), ROUND_HALF_UP)


def _hundredths(number: float) -> Decimal:
    """A share, rounded down: 79.9 % are not 80 %."""
    return Decimal(repr(round(number, 9))).quantize(Decimal("0.01"), ROUND_DOWN)
