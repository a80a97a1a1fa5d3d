"""A site's own numbers, card modes and codes: used as written, or the start stops and says what to do."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from cards.deciding.card_modes import CardMode
from cards.deciding.decision_table import CardId
from cds_server.limits import SettingsError
from cds_server.site_rules import site_rules
from fhir_mappings.facts.treatment import DrugClass
from tests.support.tables import rows


def of_toml(folder: Path, text: str) -> Any:
    file = folder / "site.toml"
    file.write_text(text, encoding="utf-8")
    return site_rules(file, None)


def test_a_site_sets_numbers_and_card_modes(tmp_path: Path) -> None:
    found = of_toml(
        tmp_path,
        """
        [thresholds]
        spo2_cut = "92 %"
        bp_window = "8 h"
        il6_fold = 5
        crp_fold = 2.0
        weight_age = "7 d"
        fever_window = "0.5 d"
        [cards]
        infection-surveillance = "shadow"
        reassess-window = "off"
        """,
    )
    t = found.thresholds
    assert (t.spo2_cut, t.il6_fold, t.crp_fold) == (Decimal(92), Decimal(5), Decimal("2.0"))
    assert (t.bp_window, t.weight_age, t.fever_window) == (timedelta(hours=8), timedelta(days=7), timedelta(hours=12))
    assert found.modes.of(CardId.INFECTION_SURVEILLANCE) is CardMode.SHADOW
    assert found.modes.of(CardId.REASSESS_WINDOW) is CardMode.OFF
    assert found.modes.of(CardId.SEVERE_CRS) is CardMode.ACTIVE


REFUSED = rows("""
| text                                           | says                                                                                       |
| [thresholds];il6_fould = 4                     | il6_fould is no number of this service; did you mean il6_fold?                              |
| [thresholds];qqqqq = 4                         | qqqqq is no number of this service; docs/decision-table.md lists them.                      |
| [thresholds];spo2_cut = 92                     | spo2_cut has no unit; write it in %, such as spo2_cut = "90 %".                             |
| [thresholds];spo2_cut = "92 mm[Hg]"            | spo2_cut has the unit mm[Hg]; write it in %, such as spo2_cut = "90 %".                     |
| [thresholds];bp_window = "12 hours"            | bp_window has the unit hours; write it in h, such as bp_window = "12 h".                    |
| [thresholds];fever = "100.4 [degF]"            | fever has the unit [degF]; write it in Cel, such as fever = "38.0 Cel".                     |
| [thresholds];fever = "30 Cel"                  | fever must be between 37.5 and 38.5 Cel; correct it or leave it out.                        |
| [thresholds];dose_interval = "6 h"             | dose_interval must be between 8 and 24 h; correct it or leave it out.                       |
| [thresholds];doses_max = 5                     | doses_max must be between 1 and 4; correct it or leave it out.                              |
| [thresholds];toci_strength = "50 mg/mL"        | toci_strength must stay 20 mg/mL; leave it out.          |
| [thresholds];doses_max = 2.5                   | doses_max must be a whole number; round it.                                                 |
| [thresholds];dexamethasone_dose = "10.5 mg"    | dexamethasone_dose must be a whole number of mg; round it.                                  |
| [thresholds];weight_age = "100 h"              | weight_age must be a whole number of d; round it.                                           |
| [thresholds];steroid_running_dose = "20 mg"    | steroid_running_dose may not be more than dexamethasone_dose; change one of them.           |
| [cards];crs-grade = ["off"]                    | crs-grade must be "active", "shadow" or "off".                                              |
| [cards];crs-grade-unknown = "off"              | crs-grade-unknown cannot be off                                                             |
| [thresholds];il6_fold = true                   | il6_fold must be a number with its unit, such as il6_fold = "4".                            |
| [thresholds];il6_fold = nan                    | il6_fold must be a number with its unit, such as il6_fold = "4".                            |
| [thresholds];il6_fold = "about 4"              | il6_fold must be a number with its unit, such as il6_fold = "4".                            |
| [thresholds];stale_limit = "12 h";fever_window = "24 h" | fever_window may not be more than stale_limit; change one of them.                 |
| [cards];severe-crs = "off"                     | severe-crs cannot be off; write "shadow" to try it unseen, or leave it out.                 |
| [cards];toci-dose-check = "off"                | toci-dose-check cannot be off                                                               |
| [cards];crs-grade = "maybe"                    | crs-grade must be "active", "shadow" or "off".                                              |
| [cards];severe = "off"                         | severe is no card; the cards are severe-crs,                                                |
| [rules];x = 1                                  | rules is not a section; the sections are [thresholds] and [cards].                          |
| il6_fold = 4                                   | il6_fold is not a section; the sections are [thresholds] and [cards].                       |
| [thresholds                                    | the file is not TOML:                                                                       |
""")


@pytest.mark.parametrize("row", REFUSED, ids=lambda row: row["text"])
def test_what_a_site_cannot_write(tmp_path: Path, row: dict[str, str]) -> None:
    with pytest.raises(SettingsError) as caught:
        of_toml(tmp_path, row["text"].replace(";", "\n"))
    assert row["says"] in str(caught.value)
    assert str(caught.value).startswith("CRS_CDS_THRESHOLDS: ")


def test_a_file_that_is_not_there_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="CRS_CDS_THRESHOLDS must name a file that can be read, as UTF-8"):
        site_rules(tmp_path / "none.toml", None)
    with pytest.raises(SettingsError, match="CRS_CDS_VALUE_SETS must be a folder"):
        site_rules(None, tmp_path / "none")


def test_the_hash_names_numbers_modes_and_codes_in_force(tmp_path: Path) -> None:
    plain = site_rules(None, None).hash
    assert plain == site_rules(None, None).hash
    (tmp_path / "sets").mkdir()
    write(tmp_path / "sets", "nc", device("low-flow-oxygen", "nc-local"))
    others = {
        of_toml(tmp_path, '[thresholds]\nspo2_cut = "92 %"').hash,
        of_toml(tmp_path, '[cards]\nreassess-window = "off"').hash,
        site_rules(None, tmp_path / "sets").hash,
    }
    assert len(others | {plain}) == 4


INGREDIENT = [{"url": "urn:crs-cds:ingredient", "valueString": "tocilizumab"}]


def value_set(set_id: str, system: str, code: str, **more: Any) -> dict[str, Any]:
    concept = {"code": code, "display": "as the site says", **more}
    compose = {"include": [{"system": system, "concept": [concept]}]}
    return {"resourceType": "ValueSet", "id": set_id, "status": "active", "compose": compose}


def device(set_id: str, code: str, text: str = "Zauberbrille") -> dict[str, Any]:
    return value_set(set_id, "urn:site", code, designation=[{"value": text}])


def write(folder: Path, name: str, content: dict[str, Any]) -> None:
    (folder / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")


def test_a_site_adds_codes_drugs_and_device_synonyms(tmp_path: Path) -> None:
    ingredient = [{"url": "urn:crs-cds:ingredient", "valueString": "obecabtagene autoleucel"}]
    write(tmp_path, "drug", value_set("car-t-product", "urn:site", "obe-1", extension=ingredient))
    write(tmp_path, "device", device("high-flow-oxygen", "hf"))
    terms = site_rules(None, tmp_path).terms
    drug = terms.drug_coded([("urn:site", "obe-1")])
    assert drug is not None
    assert (drug.drug_class, drug.ingredient) == (DrugClass.CAR_T, "obecabtagene autoleucel")
    assert terms.sets_of_text("zauberbrille") == {"high-flow-oxygen"}
    assert terms.first("tocilizumab").code == "612865", "what the package orders stays first"


def test_a_site_replaces_a_value_set(tmp_path: Path) -> None:
    content = device("room-air", "ra")
    content["extension"] = [{"url": "urn:crs-cds:replaces", "valueBoolean": True}]
    write(tmp_path, "room-air", content)
    terms = site_rules(None, tmp_path).terms
    assert terms.sets_of_text("Zauberbrille") == {"room-air"}
    assert "room-air" not in terms.sets_of_text("room air")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (value_set("low-flow-oxigen", "urn:site", "x"), "low-flow-oxigen is no value set of this service; did you mean low-flow-oxygen?"),
        (value_set("interleukin-6", "https://loinc.org/", "3150-6"), "is no LOINC code"),
        (value_set("interleukin-6", "urn:oid:2.16.840.1.113883.6.1", "3150-6"), "is no LOINC code"),
        (value_set("body-weight", "urn:site", "x&patient=q"), "code must be without spaces"),
        (value_set("body-weight", "urn:site", "{{context.userId}}"), "code must be without spaces"),
        (value_set("body-weight", "site codes", "x"), "system must be an absolute URI"),
        (value_set("platelets", "http://loinc.org", "751-8"), "751-8 is in both"),
        (value_set("tocilizumab", "urn:site", "x", designation=[{"value": " "}], extension=INGREDIENT), "designation[0].value must have at least 3"),
        (value_set("tocilizumab", "urn:site", "x", extension=[{"url": "urn:crs-cds:ingredient", "valueString": "Paracetamol"}]), "paracetamol is an ingredient of antipyretic"),
        (value_set("tocilizumab", "urn:site", "x", extension=[{"url": "urn:crs-cds:ingredients", "valueString": "x"}]), "urn:crs-cds:ingredients is none of ours"),
        ({**device("room-air", "x"), "extension": [{"url": "urn:crs-cds:replaces", "valueString": "true"}]}, 'must be urn:crs-cds:replaces with "valueBoolean"'),
        ({**device("room-air", "x"), "compose": None}, "compose.include lists no concept"),
        ({**device("room-air", "x"), "contained": [{"resourceType": "Nope"}]}, "not a valid FHIR R4 ValueSet"),
        (value_set("interleukin-6", "http://loinc.org", "3150-6"), "compose.include[0].concept[0].code is no LOINC code"),
        (value_set("tocilizumab", "urn:site", "x"), "x needs the extension urn:crs-cds:ingredient"),
        (device("room-air", "x", "nasal cannula"), "nasal cannula is in both room-air and low-flow-oxygen"),
        (value_set("room-air", "urn:site", "x", display=""), "not a valid FHIR R4 ValueSet at compose.include.0.concept.0.display"),
        ({"resourceType": "ValueSet", "id": "room-air", "status": "active"}, "compose.include lists no concept"),
        ({"resourceType": "Patient", "id": "room-air"}, "must be one FHIR ValueSet"),
        ({"resourceType": "ValueSet", "status": "draft"}, "id is missing"),
        ({**device("room-air", "x"), "surprise": 1}, "not a valid FHIR R4 ValueSet at surprise"),
        ({**device("room-air", "x"), "compose": {"include": [{"valueSet": ["urn:other"]}]}}, "must list concepts of one system"),
        ({**device("room-air", "x"), "compose": {**device("room-air", "x")["compose"], "exclude": [{"system": "urn:x"}]}}, "compose.exclude is not read"),
    ],
)  # fmt: skip
def test_value_sets_that_a_site_cannot_use(tmp_path: Path, content: dict[str, Any], says: str) -> None:
    write(tmp_path, "site", content)
    with pytest.raises(SettingsError) as caught:
        site_rules(None, tmp_path)
    assert says in str(caught.value)
    assert str(caught.value).startswith("CRS_CDS_VALUE_SETS: ")


def test_epic_s_name_of_a_system_is_the_system(tmp_path: Path) -> None:
    write(tmp_path, "toci", value_set("tocilizumab", "urn:oid:2.16.840.1.113883.6.88", "9999999", extension=INGREDIENT))
    terms = site_rules(None, tmp_path).terms
    for system in ("urn:oid:2.16.840.1.113883.6.88", "http://www.nlm.nih.gov/research/umls/rxnorm"):
        drug = terms.drug_coded([(system, "9999999")])
        assert drug is not None
        assert drug.drug_class is DrugClass.TOCILIZUMAB


def test_an_ingredient_is_known_however_it_is_written(tmp_path: Path) -> None:
    axi = [{"url": "urn:crs-cds:ingredient", "valueString": "Axicabtagene Ciloleucel"}]
    write(tmp_path, "axi", value_set("car-t-product", "urn:site", "axi", extension=axi))
    drug = site_rules(None, tmp_path).terms.drug_coded([("urn:site", "axi")])
    assert drug is not None
    assert drug.ingredient == "axicabtagene ciloleucel"


def test_a_folder_with_something_else_in_it_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "room-air.xml").write_text("<ValueSet/>", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"room-air.xml is not a \*.json file"):
        site_rules(None, tmp_path)


def test_two_files_of_one_set_may_not_replace_it(tmp_path: Path) -> None:
    write(tmp_path, "a", device("room-air", "a", "Luft"))
    write(
        tmp_path, "b", {**device("room-air", "b"), "extension": [{"url": "urn:crs-cds:replaces", "valueBoolean": True}]}
    )
    with pytest.raises(SettingsError, match="another file has the id room-air"):
        site_rules(None, tmp_path)


def test_what_is_searched_for_keeps_a_code_and_no_search_grows_too_long(tmp_path: Path) -> None:
    content = value_set("body-weight", "urn:crs-cds:local", "weight")
    content["extension"] = [{"url": "urn:crs-cds:replaces", "valueBoolean": True}]
    write(tmp_path, "weight", content)
    with pytest.raises(SettingsError, match="body-weight has no code left to search for"):
        site_rules(None, tmp_path)
    content = value_set("body-weight", "urn:site", "w")
    content["compose"]["include"][0]["concept"] = [{"code": f"w-{n}", "display": "w"} for n in range(3000)]
    write(tmp_path, "weight", content)
    with pytest.raises(SettingsError, match="weight has too many codes for a search"):
        site_rules(None, tmp_path)


def test_the_same_number_written_otherwise_has_the_same_hash(tmp_path: Path) -> None:
    texts = ("4", "4.0", '"4.00"')
    assert {of_toml(tmp_path, f"[thresholds]\nil6_fold = {text}").hash for text in texts} == {
        site_rules(None, None).hash
    }


def test_a_replacement_must_leave_codes_for_our_orders(tmp_path: Path) -> None:
    ingredient = [{"url": "urn:crs-cds:ingredient", "valueString": "dexamethasone"}]
    content = value_set("systemic-corticosteroid", "urn:site", "dexa", extension=ingredient)
    content["extension"] = [{"url": "urn:crs-cds:replaces", "valueBoolean": True}]
    write(tmp_path, "steroid", content)
    with pytest.raises(SettingsError, match="needs a code for methylprednisolone"):
        site_rules(None, tmp_path)
