"""Write the report: `index.html`, the CSVs, and the protocol."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from cds_server.evaluation.aggregate.tables import aggregated_log
from cds_server.evaluation.logged import LoggedCall, calls_of_replay, in_periods
from cds_server.evaluation.protocol import Statistics
from cds_server.evaluation.report.all_tables import OF_PATIENTS, Report, Tables, report_of
from cds_server.evaluation.report.chapters import chapters
from cds_server.evaluation.report.logged import log_page, logged_chapter, write_logged
from cds_server.evaluation.report.part import Page, Tile
from cds_server.evaluation.rows.cohort import Evaluation
from cds_server.evaluation.rows.courses import CourseRow, Known
from cds_server.evaluation.rows.moments import CardRow, MomentRow
from cds_server.evaluation.statistics.proportions import Share, exact_share
from cds_server.evaluation.tables.cards import ALL_OTHERS
from cds_server.evaluation.tables.logged import logged_tables
from cds_server.evaluation.tables.markers import DISPLAYED, displayed_peaks
from cds_server.evaluation.tables.outcomes import key
from cds_server.evaluation.tables.protocol_file import as_toml
from cds_server.evaluation.tables.table import Cell, Table, cells_of, in_words, shown_cell, shown_columns, write_csv

ECHARTS = "echarts-6.1.0.min.js"
MOST_ROWS = 200  # of a table on the page; the CSV has all
WIDE = 9  # columns: a table with more is printed smaller
LONG = 24  # characters: a text that is longer keeps a width in which it can be read


def write_report(
    evaluation: Evaluation, out: Path, calls: Iterable[LoggedCall] = (), *, aggregate_only: bool = False
) -> Path:
    """Write everything into a folder and return the page. `calls` are those of the decision log, to be compared with
    the replay. Raises OSError."""
    out.mkdir(parents=True, exist_ok=True)
    report = report_of(evaluation, aggregate_only=aggregate_only)
    for field in fields(Tables):
        table: Table = getattr(report.tables, field.name)
        if not (aggregate_only and field.name in OF_PATIENTS):
            write_csv(out, table.name, table.columns, table.rows)
    if not aggregate_only:
        _write_rows(out, evaluation)
    (out / "protocol.toml").write_text(as_toml(evaluation.protocol), encoding="utf-8")
    whole = page_of(evaluation, report)
    logged = list(calls)
    if logged:
        periods = in_periods([*calls_of_replay(evaluation), *logged])
        tables = logged_tables(periods, evaluation.protocol.statistics)
        if aggregate_only:
            tables = aggregated_log(tables, evaluation.protocol.statistics.small_cell)
        write_logged(tables, out)
        whole = replace(whole, chapters=(*whole.chapters, logged_chapter(tables)))
    page = out / "index.html"
    page.write_text(rendered(whole), encoding="utf-8")
    return page


def write_log_report(
    calls: Iterable[LoggedCall],
    statistics: Statistics,
    facts: Mapping[str, str],
    out: Path,
    *,
    aggregate_only: bool = False,
) -> Path:
    """Write the report of a decision log alone and return the page. Raises OSError."""
    out.mkdir(parents=True, exist_ok=True)
    tables = logged_tables(in_periods(calls), statistics)
    if aggregate_only:
        tables = aggregated_log(tables, statistics.small_cell)
    write_logged(tables, out)
    page = out / "index.html"
    page.write_text(rendered(log_page(tables, tuple(facts.items()))), encoding="utf-8")
    return page


def _write_rows(out: Path, evaluation: Evaluation) -> None:
    """The tables with a row a course, a moment and a card, each read once and never held whole."""
    rows: tuple[tuple[str, type, Iterable[Any]], ...] = (
        ("moments", MomentRow, evaluation.moments),
        ("cards", CardRow, evaluation.cards),
    )
    for name, kind, found in rows:
        write_csv(out, name, [field.name for field in fields(kind)], map(cells_of, found))
    peaks = displayed_peaks(evaluation)
    columns = [field.name for field in fields(CourseRow)] + [f"{marker}_peak" for marker in DISPLAYED]
    write_csv(out, "courses", columns, (
        (*cells_of(course), *(peaks.get((*key(course), marker)) for marker in DISPLAYED))
        for course in evaluation.courses
    ))  # fmt: skip


def page_of(evaluation: Evaluation, report: Report) -> Page:
    """The page with its figures of page one."""
    run = evaluation.run
    exported = f"{run.exported_at:%Y-%m-%d %H:%M} UTC" if run.exported_at else ""
    facts = {
        "version": run.version, "rules": run.rules_hash, "other rules": run.compare_hash, "protocol": run.protocol_hash,
        "seed": str(run.seed), "policy": run.policy, "exported": exported, "time zone": evaluation.zone_name,
    }  # fmt: skip
    return Page(
        evaluation.protocol.title,
        _note(evaluation),
        tuple(_tiles(evaluation, report)) if not report.aggregate_only else (),
        chapters(evaluation, report),
        not report.aggregate_only,
        tuple((name, value) for name, value in facts.items() if value),
    )


def _note(evaluation: Evaluation) -> str:
    """The protocol's note; that data are constructed stands on the page whatever the protocol says."""
    run, note = evaluation.run, evaluation.protocol.note
    if not run.constructed or evaluation.protocol.constructed:
        return note
    return f"Constructed data: {run.constructed} of {run.patients} patients are marked as test data. {note}".strip()


EVENTS = {"grade-3": "grade 3 or more", "icu": "intensive care", "steroid": "corticosteroid"}


def _tiles(evaluation: Evaluation, report: Report) -> Iterable[Tile]:
    courses = evaluation.courses
    known = [c.severe for c in courses if c.severe is not Known.UNKNOWN]
    severe = exact_share(Share(known.count(Known.YES), len(known)))
    limits = f"limits {severe.low:.0%} to {severe.high:.0%}" if severe.has_limits else "none known"
    unknown = len(courses) - len(known)
    yield Tile("Courses", str(len(courses)), f"of {len({c.patient for c in courses})} patients")
    says = f"{limits}; " + (f"{unknown} not known" if unknown else "known of all")
    yield Tile("Severe CRS", f"{known.count(Known.YES)} of {len(known)}", says)
    for row in report.tables.card_rates.dicts():
        if row["card"] == ALL_OTHERS:
            rate, low, high = (_one_decimal(row[f"per_10_days{end}"]) for end in ("", "_low", "_high"))
            yield Tile("Cards per 10 days at risk", rate, f"limits {low} to {high}; the grade not counted")
    for row in report.tables.preceded.dicts():
        lead = "no lead time" if row["lead_hours"] is None else f"lead {in_words(row['lead_hours'])} h in the median"
        says = f"{lead}; only at or after: {row['only_at_or_after']}, never: {row['never']}"
        name = EVENTS.get(str(row["event"]), row["event"])
        yield Tile(f"A card before: {name}", f"{row['preceded']} of {row['n']}", says)


def _one_decimal(cell: Cell) -> str:
    return f"{cell:.1f}" if isinstance(cell, float) else in_words(cell)


def rendered(page: Page) -> str:
    """The page as HTML with everything in it. Its policy lets nothing run or load but what is hashed here."""
    own = files("cds_server.evaluation.report") / "static"
    style = (own / "report.css").read_text(encoding="utf-8")
    library = (files("cds_server.course_page") / "static" / ECHARTS).read_text(encoding="utf-8")
    scripts = (library, (own / "report.js").read_text(encoding="utf-8")) if page.charts else ()
    environment = Environment(
        loader=PackageLoader("cds_server.evaluation.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(columns=shown_columns, cell=shown_cell, most=MOST_ROWS, wide=WIDE, long=LONG)
    return environment.get_template("report.html").render(
        page=page,
        style=Markup(style),  # noqa: S704 - our own file
        scripts=[Markup(script) for script in scripts],  # noqa: S704 - our own files
        charts=Markup(_json([{"id": chart.id, "option": chart.option} for chart in page.charts])),  # noqa: S704
        policy=_policy(style, scripts),
    )


def _policy(style: str, scripts: Iterable[str]) -> str:
    """The Content-Security-Policy of the page: nothing is loaded, and nothing runs but what is hashed."""
    hashed = " ".join(_hash(script) for script in scripts) or "'none'"
    own = (f"style-src {_hash(style)}", f"script-src {hashed}")
    return "; ".join(("default-src 'none'", *own, "base-uri 'none'", "form-action 'none'"))


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _json(value: object) -> str:
    """JSON that may stand inside a script element: no character of it can end the element."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
