"""Charts broken one field at a time: each gets an answer or a clear error, and none says less without saying so."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import pytest
from werkzeug.test import TestResponse

from example_patients.client.ehr import SERVICE_OF_HOOK
from tests.support.charts import CHARTS
from tests.support.desk import ASSESSMENT, Desk
from tests.support.dirty_data import Broken, broken_bundles, json_text
from tests.support.every_field import places, value_at
from tests.support.tables import rows

NO_LOG = "sqlite:////nowhere/log.sqlite"  # nothing is asked of it here, and it took a third of the time
SLOWEST = 5.0
"""Seconds of work for one answer: hundreds of times what it takes, so that only what runs away is found."""


@dataclass(frozen=True)
class Said:
    """What an answer says, as far as a broken chart must not make it say less.

    `severity` is the grade, or what it would be if this is CRS. `doubts` is what the answer says it could not use or
    read: a resource set aside, "at least", no grade, a flag, a verdict unknown because of a result, a sentence about it
    or a card. `doubts_beside_order` are the sentences of the cards that order tocilizumab.
    """

    cards: Mapping[str, str]
    severity: int
    il6: str
    doses: int
    orders_tocilizumab: bool
    cautions: frozenset[str]
    doubts: frozenset[str]
    doubts_beside_order: frozenset[str]


URGENCY = ("info", "warning", "critical")
DOUBT_CARDS = frozenset({"data-quality", "crs-grade-unknown", "crs-possible-masked"})
# what the chart does not hold, and not what of it could not be read
NOT_ON_RECORD = frozenset({None, "no_baseline", "no_peak", "no_recent_sample", "zero_baseline"})
CAUTIONS = ("Hypersensitivity to tocilizumab", "Caution: ", "Infection to weigh", "ICANS grade")
DOUBTFUL = re.compile(
    r"(?:Could not be read|A result that could not be read|Send [^:.]*: no result of|ICANS is unknown)[^.]*\."
)


def said(answer: TestResponse) -> Said:
    body = answer.get_json()
    found = body["extension"][ASSESSMENT]
    cards = {card["source"]["topic"]["code"]: card for card in body["cards"]}
    words = " ".join(card["detail"] for card in cards.values())
    ordering = [c for c in cards.values() if any("ocilizumab" in s["label"] for s in c.get("suggestions", ()))]
    reasons = {(name, found.get(name, {}).get("reason")) for name in ("il6", "crp")}
    doubts = {
        *(f"set aside: {a['reference']}, {a['why']}" for a in found.get("setAside", ())),
        *(flag for flag in found.get("flags", ()) if flag != "no_course"),
        *(f"{name}: {reason}" for name, reason in reasons if reason not in NOT_ON_RECORD),
        *(["at least"] if "crsGradeIsMinimum" in found else []),
        *(["no grade"] if "provisionalGrade" in found else []),
        *DOUBTFUL.findall(words),
        *(DOUBT_CARDS & cards.keys()),
    }
    return Said(
        cards={name: card["indicator"] for name, card in cards.items()},
        severity=found.get("crsGrade", found.get("provisionalGrade", 0)),
        il6=found.get("il6", {}).get("category", "unknown"),
        doses=found.get("tocilizumabDoses", 0),
        orders_tocilizumab=bool(ordering),
        cautions=frozenset(words_of for words_of in CAUTIONS if words_of in words),
        doubts=frozenset(doubts),
        doubts_beside_order=frozenset(DOUBTFUL.findall(" ".join(card["detail"] for card in ordering))),
    )


def unsaid(whole: Said, broken: Said, left: str) -> list[str]:
    """What the answer to a broken chart says less than the whole one's. `left` is the JSON that is left of the chart.

    | less                                    | is allowed                                                                 |
    | no card where there was one             | never but at a full page that nobody can go on from, where nothing that is |
    |                                         | left names a CAR-T product: `no_course_in_part_read` of the protocol       |
    | a low IL-6 where it was not low         | never: it moves advice away from tocilizumab                               |
    | an order of tocilizumab that was not    | with a new doubt on the very card that orders                              |
    | a lower grade, or lower "if CRS"        | with a new doubt                                                           |
    | fewer doses of tocilizumab              | with a new doubt                                                           |
    | a warning gone, or less urgent          | with a new doubt                                                           |
    | a caution about tocilizumab gone        | with a new doubt                                                           |
    | other cards, by what was set aside      | with `data-quality`, or a card that says that the grade is not known       |
    """
    less = []
    unread = "no_course_in_part_read" in broken.doubts and not CAR_T.search(left)
    if whole.cards and not broken.cards and not unread:
        less.append("silence")
    if broken.il6 == "low" and whole.il6 != "low":
        less.append(f"IL-6 {whole.il6} → low")
    if broken.orders_tocilizumab > whole.orders_tocilizumab and not broken.doubts_beside_order - whole.doubts:
        less.append("tocilizumab ordered")
    aside = any(one.startswith("set aside: ") for one in broken.doubts - whole.doubts)
    if aside and broken.cards and others(broken) != others(whole) and not DOUBT_CARDS & broken.cards.keys():
        less.append(f"no data-quality: {others(whole)} → {others(broken)}")
    if broken.doubts - whole.doubts:
        return less
    if broken.severity < whole.severity:
        less.append(f"grade {whole.severity} → {broken.severity}")
    if broken.doses < whole.doses:
        less.append(f"doses {whole.doses} → {broken.doses}")
    for card, urgency in whole.cards.items():
        if URGENCY.index(broken.cards.get(card, "info")) < URGENCY.index(urgency):
            less.append(f"gone or less urgent: {card}")
    return [*less, *(f"caution gone: {words}" for words in whole.cautions - broken.cautions)]


def others(answer: Said) -> set[str]:
    """The cards that say what to do."""
    return set(answer.cards) - {"crs-grade", "data-quality"}


CAR_T = re.compile("tisagenlecleucel|1986438|38228")

# What no reader can see. All else must be said.
EXCEPTIONS = rows(r"""
| field                               | how                             | why                                                                            |
| ^\w+: $                             | null                            | null is the client's answer "none on record"                                   |
| ^\w+: entry$                        | missing, empty                  | so is a Bundle without entries                                                 |
| ^\w+: .+: entry\.\*$                | missing                         | an entry that did not come                                                     |
| medicationCodeableConcept\.text$    | German, Chinese, markup, 100 kB | of a drug known by its text alone: another text is another drug                |
| ^draftOrders:                       | missing, null, empty            | what names no medication is no order yet: the public Sandbox sends such drafts |
| dosage(\.rateQuantity)?$            | missing, null, empty            | a completed event with neither rate nor amount is a stop                       |
| ^neuro: .*\.code\.coding\.\*\.code$ | German, Chinese, markup, 100 kB | in a site's own system any text may be the code of something else              |
""")


# One broken field costs itself; the whole call only where it is no JSON, another patient's, or of the request itself.
REFUSED = rows(r"""
| field         | how                                             | why                             |
| .             | «NaN», «Infinity»                               | no JSON                         |
| ^patient: id$ | German, Chinese, markup, 100 kB                 | another patient's               |
| ^draftOrders: | null, a wrong type, «1e400», «-1e400», «digits» | the request itself is not valid |
""")


def is_one_of(table: list[dict[str, str]], broken: Broken) -> bool:
    return any(re.search(row["field"], broken.field) and broken.how in row["how"].split(", ") for row in table)


def faults_of_form(answer: TestResponse) -> list[str]:
    """What the protocol forbids, and markup of the record in what clients render."""
    body = answer.get_json()
    if answer.status_code != 200:
        clear = answer.status_code in (400, 412) and all(issue["diagnostics"] for issue in body["issue"])
        return [] if clear else [f"status {answer.status_code}"]
    empty = [path for path in places(body) if value_at(body, path) in (None, "", {}, []) and path != ("cards",)]
    found = [f"empty: {path}" for path in empty]
    for card in body["cards"]:
        words = json.dumps([card["summary"], card["detail"], *(s["label"] for s in card.get("suggestions", ()))])
        found += [
            f"markup: {mark}" for mark in ("<script", "<img", "[x](", "https://evil", "www.evil") if mark in words
        ]
        found += ["a long summary"] if len(card["summary"]) >= 140 else []
        found += ["a long detail"] if len(card["detail"]) > 20_000 else []
    return found


@pytest.mark.parametrize("name", CHARTS)
def test_a_broken_field_is_never_silence_nor_less_than_the_whole_chart_says(name: str) -> None:
    chart = CHARTS[name]()
    desk = Desk(now=chart.now, environ={"CRS_CDS_DATABASE_URL": NO_LOG})

    def answer(text: str) -> TestResponse:
        service = f"/cds-services/{SERVICE_OF_HOOK[chart.hook]}"
        return desk.client.post(service, data=text, content_type="application/json")

    whole = said(answer(json_text(chart.body(chart.prefetch))))
    wrong: list[str] = []
    statuses: Counter[int] = Counter()
    distinct: set[str] = set()
    for broken in broken_bundles(chart.prefetch, chart.now, chart.keys):
        text = json_text(chart.body(broken.prefetch))
        began = time.process_time()
        found = answer(text)
        faults = [] if time.process_time() - began < SLOWEST else ["slow"]
        faults += faults_of_form(found)
        statuses[found.status_code] += 1
        if found.status_code == 412:  # nothing that is left tells of an infusion
            faults += ["refused"] if CAR_T.search(text) and not is_one_of(REFUSED, broken) else []
        elif found.status_code != 200:
            faults += [] if is_one_of(REFUSED, broken) else ["refused"]
        else:
            less = unsaid(whole, said(found), text)
            faults += [] if is_one_of(EXCEPTIONS, broken) else less
            body = found.get_json()
            distinct.add(json.dumps([body["extension"], *(card["detail"] for card in body["cards"])]))
        wrong += [f"{broken.field} | {broken.how} | {', '.join(faults)}"] if faults else []
    print(f"{name}: {statuses.total()} broken, {dict(statuses)}, {len(distinct)} distinct answers")
    assert statuses.total() > 200
    assert wrong == []
