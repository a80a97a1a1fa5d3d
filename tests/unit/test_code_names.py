"""The value set that a code may be meant for, by its name: a hint for a person, in many languages."""

from __future__ import annotations

import pytest

from cds_server.inventory.code_names import CODED, named_set, names_of, observed_or_ordered
from fhir_mappings.codes.terminology import packaged_terminology
from tests.support.tables import rows

AMONG = (observed_or_ordered(), CODED)

NAMES = rows("""
| text                                  | may be                        |
| Körpertemp. axillär                   | body-temperature              |
| Ohrtemperatur                         | body-temperature              |
| 体温(腋窩)                              | body-temperature              |
| T                                     | body-temperature              |
| Temperature source                    |                               |
| Raumtemperatur                        |                               |
| Target temperature                    |                               |
| NIBP Systolic                         | systolic-pressure             |
| RR systolisch                         | systolic-pressure             |
| 収縮期血圧                              | systolic-pressure             |
| ABP diastolisch                       |                               |
| Pulmonary artery systolic pressure    |                               |
| MAP                                   | mean-arterial-pressure        |
| Blood pressure site                   |                               |
| SpO₂ (%)                              | oxygen-saturation             |
| O2-Sättigung                          | oxygen-saturation             |
| Zentralvenöse Sättigung SvO2          |                               |
| Transferrinsättigung                  |                               |
| 酸素流量(L/分)                          | oxygen-flow                   |
| FiO2                                  | inhaled-oxygen-concentration  |
| PaO2/FiO2 ratio                       |                               |
| 酸素投与方法                            | oxygen-delivery-device        |
| IL-6                                  | interleukin-6                 |
| IL6 i.S.                              | interleukin-6                 |
| Interleukin 6 [Mass/volume] in Serum  | interleukin-6                 |
| IL-6-Rezeptor                         |                               |
| 白细胞介素-6                            | interleukin-6                 |
| IL-10                                 | interleukin-10                |
| hs-CRP                                | c-reactive-protein            |
| C-reaktives Protein                   | c-reactive-protein            |
| CRP (Liquor)                          |                               |
| PCR                                   |                               |
| Gewicht                               | body-weight                   |
| Geburtsgewicht                        |                               |
| 体重                                   | body-weight                   |
| ANC                                   | neutrophils                   |
| Neutrophile %                         |                               |
| Thrombozyten                          | platelets                     |
| Thrombozytenkonzentrat                |                               |
| GOT (AST)                             | aspartate-aminotransferase    |
| ALT                                   | alanine-aminotransferase      |
| Alt bekannt seit Jahren               |                               |
| Blutkultur aerob                      | blood-culture                 |
| Zytokin-Freisetzungssyndrom Grad 2    | coded-crs                     |
| Congenital rubella syndrome           |                               |
| Septischer Schock                     | coded-infection               |
| Sepsis screening                      |                               |
| Heart rate                            |                               |
| Sodium                                |                               |
| ナトリウム                              |                               |
""")


@pytest.mark.parametrize("row", NAMES, ids=lambda row: row["text"])
def test_a_name_is_a_hint_and_a_word_of_something_else_takes_it_back(row: dict[str, str]) -> None:
    found = [named_set([row["text"]], among) for among in AMONG]
    assert (next(filter(None, found), "")) == row["may be"]


def test_a_name_stands_for_one_value_set_and_each_set_is_one_of_ours() -> None:
    assert {set_id for _, set_id in names_of()} <= packaged_terminology().value_sets.keys()
    for among in AMONG:
        sets: dict[str, set[str]] = {}
        for name, set_id in names_of():
            sets.setdefault(name.casefold(), set()).update({set_id} & among)
        assert [name for name, found in sets.items() if len(found) > 1] == []


@pytest.mark.parametrize("name", sorted({name for name, _ in names_of()}))
def test_every_name_by_itself_is_found(name: str) -> None:
    wanted = {set_id for known, set_id in names_of() if known == name}
    assert wanted <= {named_set([name], among) for among in AMONG}


def test_a_hint_is_only_given_for_what_can_be_meant() -> None:
    assert named_set(["Blood pressure"], CODED) is None
