"""The inventory says what the service does: what a call sets aside, for whatever reason, is counted for that reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from cds_server.exports.export import Export
from cds_server.exports.unread import Why
from cds_server.inventory.in_force import InForce
from cds_server.inventory.inventory import Inventory, inventory
from cds_server.inventory.medications import NOT_HERE
from cds_server.inventory.naming import shape
from cds_server.patient_advice import facts_of, mapping_context
from cds_server.record.recorded_bundle import BadBundleError, recorded_patient
from cds_server.site_rules import site_rules
from fhir_mappings.facts.patient import PatientFacts
from tests.support.charts import CHARTS
from tests.support.dirty_data import broken_bundles, json_text
from tests.support.wild import NOW, chart_with, payloads

RULES = site_rules(None, None)
ONE_OF = 29  # broken charts; all of them take minutes
# the reasons of a call for an entry that holds no resource; the inventory names its place
NO_RESOURCE = {"not a FHIR resource": Why.NOT_FHIR, "not readable as JSON of a FHIR resource": Why.NOT_JSON}
# the same of a drug: the inventory counts it by what it may be
NO_DRUG = {"does not say what is ordered": "drug not identified"}


def both(bundle: str, patient_id: str, now: datetime, folder: Path) -> tuple[PatientFacts, Inventory]:
    """The facts of a call on a recorded Bundle, and its inventory."""
    recorded = recorded_patient("the Bundle", bundle.encode(), patient_id)
    zone = now.tzinfo
    assert zone is not None
    context = mapping_context(patient_id, recorded.owner.fhir_base, RULES, zone, now)
    (folder / "bundle.json").write_text(bundle, encoding="utf-8")
    found = inventory(Export([folder]), InForce(RULES.terms, RULES.thresholds, zone, now))
    return facts_of(recorded.record, context), found


def not_counted(facts: PatientFacts, found: Inventory) -> list[str]:
    """The reasons for which a call sets something aside, and the inventory does not."""
    counted: Counter[str] = Counter()
    for table in (found.concepts.refusals, found.concepts.invalid):
        for refusal, tally in table:
            counted[shape(refusal.why)] += tally.count
    for drug, tally in found.medications.doubtful:
        counted["drug not identified" if drug.why == NOT_HERE else shape(drug.why)] += tally.count
    for name, tally in found.procedures.doubtful:
        counted[shape(f'may be a CAR-T infusion: "{name.text}"')] += tally.count
    for name, tally in (*found.procedures.around, *found.medications.around):
        counted[shape(f'names CAR-T cells and is no infusion: "{name.text}"')] += tally.count
    places = Counter(why for _, why, _ in found.unread)
    once = {(one.reference, one.why) for one in facts.set_aside}  # two copies of one id are one resource
    whys = Counter(shape(NO_DRUG.get(why, why)) for _, why in once)
    missing = [why for why in whys if why not in NO_RESOURCE and whys[why] > counted[why]]
    return [
        *missing,
        *(why for why in whys if why in NO_RESOURCE and not places[NO_RESOURCE[why]] + places[Why.NOT_FHIR]),
    ]


def bundle_of(prefetch: dict[str, Any]) -> str:
    entries: list[Any] = []
    for sent in prefetch.values():
        if isinstance(sent, dict) and sent.get("resourceType") == "Patient":
            entries.append({"resource": sent})
        elif isinstance(sent, dict) and isinstance(sent.get("entry"), list):
            entries += sent["entry"]
    return json_text({"resourceType": "Bundle", "type": "collection", "entry": entries})


def broken_charts(name: str) -> Iterator[tuple[str, str, str]]:
    """One of `ONE_OF` broken charts as Bundles: the field, how it is broken, the Bundle."""
    chart = CHARTS[name]()
    for broken in islice(broken_bundles(chart.prefetch, chart.now, chart.keys), 0, None, ONE_OF):
        yield broken.field, broken.how, bundle_of(broken.prefetch)


@pytest.mark.parametrize("name", [name for name in CHARTS if "drafted" not in name])
def test_what_a_call_sets_aside_of_a_broken_chart_is_counted(name: str, tmp_path: Path) -> None:
    chart, tried, wrong = CHARTS[name](), 0, []
    for field, how, bundle in broken_charts(name):
        try:
            facts, found = both(bundle, chart.patient_id, chart.now, tmp_path)
        except BadBundleError:  # not one patient's any more
            continue
        tried += 1
        wrong += [f"{field} {how}: {why}" for why in not_counted(facts, found)]
    assert tried
    assert wrong == []


@pytest.mark.parametrize("payload", payloads(), ids=lambda payload: payload.name)
def test_what_a_call_sets_aside_of_a_payload_is_counted(payload: Any, tmp_path: Path) -> None:
    entries = [{"resource": resource} for resource in chart_with(payload)]
    bundle = json_text({"resourceType": "Bundle", "type": "collection", "entry": entries})
    assert not_counted(*both(bundle, "p1", NOW, tmp_path)) == []
