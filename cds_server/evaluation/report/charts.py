"""The pictures of the page, as options of ECharts, each made of a table that the page shows too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cds_server.evaluation.tables.comparisons import UnknownCounted
from cds_server.evaluation.tables.table import Cell, Table

Option = dict[str, Any]
# the colours of the grades on the course page; not known is grey and hatched
GRADES = {"grade_0": "#9fc9a3", "grade_1": "#f0d264", "grade_2": "#e8963c", "grade_3": "#c94f3d", "grade_4": "#7a1f3d"}
NOT_KNOWN, FIRST, SECOND = "#b4b9c2", "#1f5fa8", "#a14a00"
HATCHED = {"symbol": "rect", "dashArrayX": [1, 0], "dashArrayY": [2, 4], "rotation": 0.8, "color": "#5b616b"}
PRECEDED = {"preceded": FIRST, "only_at_or_after": "#86b3e0", "never": NOT_KNOWN}
TEXT = {"fontFamily": "system-ui, sans-serif", "color": "#1b2430"}


@dataclass(frozen=True)
class Chart:
    """A picture: its id on the page, the words that stand for it, and the option that draws it."""

    id: str
    label: str
    option: Option
    height: int = 320


def _frame(x: Option, y: Option, series: Sequence[Option], *, legend: bool = True) -> Option:
    return {
        "animation": False,
        "textStyle": TEXT,
        "aria": {"enabled": False},
        "grid": {"left": 12, "right": 24, "top": 44 if legend else 16, "bottom": 34, "containLabel": True},
        "legend": {"show": legend, "top": 0, "type": "plain"},
        "xAxis": {"nameLocation": "middle", "nameGap": 26, **x},
        "yAxis": {"nameLocation": "middle", "nameGap": 44, "minInterval": 1, **y},
        "series": list(series),
    }


def grades_by_day(table: Table) -> Chart | None:
    """Bars of courses by grade for each day."""
    if not table.rows:
        return None
    series = []
    for name in (*GRADES, "not_known"):
        style: Option = {"color": GRADES.get(name, NOT_KNOWN)}
        if name == "not_known":
            style["decal"] = HATCHED
        series.append({"type": "bar", "stack": "all", "name": name.replace("_", " "), "barCategoryGap": "12%",
                       "data": _numbers(table.column(name)), "itemStyle": style})  # fmt: skip
    days = {"type": "category", "data": table.column("day"), "name": "day after the infusion"}
    label = "Bars: for each day the number of courses at risk by their highest grade; not known is a band of its own."
    return Chart("grades-by-day", label, _frame(days, {"type": "value", "name": "courses"}, series))


def cards_by_hour(table: Table) -> Chart | None:
    """Bars of cards by the hour of the local day."""
    if not any(_numbers(table.column("shown"))):
        return None
    names = (("shown", FIRST), ("new", SECOND))
    series = [
        {"type": "bar", "name": name, "data": _numbers(table.column(name)), "itemStyle": {"color": color}}
        for name, color in names
    ]
    hours = {"type": "category", "data": table.column("hour"), "name": "hour of the local day"}
    label = "Bars: for each hour of the day the number of cards shown, and of those that were new."
    return Chart("cards-by-hour", label, _frame(hours, {"type": "value", "name": "cards"}, series), 260)


def differences(table: Table) -> Chart | None:
    """Risk differences with their limits, one line a comparison."""
    rows = [row for row in table.dicts() if isinstance(row["difference"], float)]
    if not rows:
        return None
    names = [f"{row['endpoint']}: {row['stratum']}" + _way(row["unknown_counted"]) for row in rows]
    limits = [
        {"type": "line", "data": [[row["low"], n], [row["high"], n]], "symbol": "none",
         "lineStyle": {"color": FIRST, "width": 2}, "silent": True}
        for n, row in enumerate(rows)
    ]  # fmt: skip
    points = {"type": "scatter", "data": [[row["difference"], n] for n, row in enumerate(rows)], "symbolSize": 9,
              "itemStyle": {"color": FIRST},
              "markLine": {"silent": True, "symbol": "none", "label": {"show": False}, "data": [{"xAxis": 0}],
                           "lineStyle": {"color": TEXT["color"], "type": "solid"}}}  # fmt: skip
    share = {"type": "value", "min": -1, "max": 1, "name": "difference of the shares"}
    lines = {
        "type": "category",
        "data": names,
        "inverse": True,
        "name": "",
        "axisLabel": {"width": 150, "overflow": "break", "lineHeight": 13},
    }
    label = "Points with limits: the difference of the two shares; right of 0 the share with tocilizumab is higher."
    return Chart("differences", label, _frame(share, lines, [*limits, points], legend=False), 60 + 34 * len(rows))


def _way(counted: Cell) -> str:
    return "" if counted == UnknownCounted.LEFT_OUT.value else f" (unknown {counted})"


def preceded(table: Table) -> Chart | None:
    """Shares of events that a card preceded, lying bars; an event of which a count is not shown has no bar."""
    table = table.where(lambda row: all(isinstance(row[name], int) for name in ("n", *PRECEDED)))
    if not table.rows:
        return None
    series = []
    for name, color in PRECEDED.items():
        shares = [k / n for k, n in zip(_numbers(table.column(name)), _numbers(table.column("n")), strict=True)]
        style: Option = {"color": color, **({"decal": HATCHED} if name == "never" else {})}
        series.append(
            {"type": "bar", "stack": "all", "name": name.replace("_", " "), "data": shares, "itemStyle": style}
        )
    share = {"type": "value", "min": 0, "max": 1, "name": "share of the events"}
    events = {"type": "category", "data": table.column("event"), "inverse": True, "name": ""}
    label = "Lying bars: of doses, first grades of 3 and transfers the share that a card preceded."
    return Chart("preceded", label, _frame(share, events, series), 90 + 44 * len(table.rows))


def incidence(table: Table) -> Chart | None:
    """Steps of the cumulative incidence of severe CRS of both groups."""
    rows = table.dicts()
    if not rows:
        return None
    groups = list(dict.fromkeys(str(row["group"]) for row in rows))
    series = [
        {"type": "line", "step": "end", "symbol": "none", "name": group,
         "lineStyle": {"color": color, "type": style, "width": 2}, "itemStyle": {"color": color},
         "data": [[row["day_after_onset"], row["severe"]] for row in rows if row["group"] == group]}
        for group, color, style in zip(groups, (FIRST, SECOND), ("solid", "dashed"), strict=False)
    ]  # fmt: skip
    x = {"type": "value", "name": "days after onset", "min": 0}
    y = {"type": "value", "name": "share severe", "min": 0, "max": 1, "minInterval": 0}
    return Chart(
        "incidence", "Steps: the share that had become severe by each day, resolution competing.", _frame(x, y, series)
    )


def rises(points: Table, marker: str, cut: float) -> Chart | None:
    """The fold of each course as a point on a log axis, by highest grade; the study's cut as a line."""
    found = [
        row for row in points.dicts() if row["marker"] == marker and isinstance(row["fold"], float) and row["fold"] > 0
    ]
    if not found:
        return None
    groups = sorted({str(row["grade"]) for row in found}, key=_by_grade)
    data = [[row["fold"], groups.index(str(row["grade"]))] for row in found]
    line = {"silent": True, "symbol": "none", "data": [{"xAxis": cut}], "label": {"formatter": f"study's cut {cut:g}"},
            "lineStyle": {"color": SECOND}}  # fmt: skip
    series = [
        {
            "type": "scatter",
            "data": data,
            "symbolSize": 8,
            "itemStyle": {"color": FIRST, "opacity": 0.7},
            "markLine": line,
        }
    ]
    x = {"type": "log", "name": "times baseline (log)"}
    y = {"type": "category", "data": groups, "name": ""}
    words = ", ".join(groups)
    name = {"il6": "IL-6", "crp": "CRP"}[marker]
    label = f"Points: the rise of {name} of each course, rows from below: {words}. The line is the study's cut."
    return Chart(f"rise-{marker}", label, _frame(x, y, series, legend=False), 110 + 44 * len(groups))


def _by_grade(group: str) -> tuple[bool, str]:
    """No CRS first, then the grades."""
    return group != "no-crs", group


def _numbers(cells: Sequence[Cell]) -> list[int]:
    """Counts of a column; one that is not shown is not drawn."""
    return [cell if isinstance(cell, int) else 0 for cell in cells]
