"""References taken apart, and the ids that may stand in an address."""

from __future__ import annotations

import pytest

from fhir_mappings.reading.ownership import Owner
from fhir_mappings.reading.references import Reference, is_addressable, parsed_reference
from tests.support.tables import rows

REFERENCES = rows("""
| text                               | base            | type       | id    | because                        |
| Patient/p                          |                 | Patient    | p     | relative                       |
| /Patient/p                         |                 | Patient    | p     | with a slash before it         |
| Patient/p/                         |                 | Patient    | p     | with a slash behind it         |
| https://a.example/r4/Patient/p     | https://a.example/r4 | Patient | p   | absolute                       |
| Patient/p/_history/3               |                 | Patient    | p     | a version                      |
| Patient/e_x~.-9                    |                 | Patient    | e_x~.-9 | what FHIR does not allow     |
| Medication/a b,c                   |                 | Medication | a b,c | what no address may hold       |
""")  # fmt: skip


@pytest.mark.parametrize("row", REFERENCES, ids=lambda row: row["because"])
def test_a_literal_reference_is_taken_apart(row: dict[str, str]) -> None:
    assert parsed_reference(row["text"]) == Reference(row["base"], row["type"], row["id"])


@pytest.mark.parametrize(
    "text", ["", "p", "/", "Patient/", "/p", "urn:uuid:0b5a1f9e-1d64-4d8e-9a43-0c1f3f0a7a11", "#m"]
)
def test_any_other_text_is_none(text: str) -> None:
    assert parsed_reference(text) is None


IDS = [
    ("p", True), ("a" * 64, True), ("e" * 255, True), ("e" * 256, False), ("", False), ("A.b-c_d~9", True),
    (".", False), ("..", False), ("..a", True), ("a b", False), ("a/b", False), ("a%2Fb", False), ("a?b", False),
    ("a#b", False), ("a\n", False), ("ä", False), ("a,b", False), ("a&b", False), ("\u0661", False),
]  # fmt: skip


@pytest.mark.parametrize(("resource_id", "wanted"), IDS)
def test_an_id_in_an_address_is_of_unreserved_characters(resource_id: str, *, wanted: bool) -> None:
    assert is_addressable(resource_id) is wanted


OWNERS = rows("""
| reference                       | owns | because                                                         |
| Patient/p_1                     | yes  | the patient                                                     |
| https://a.example/r4/Patient/p_1 | yes | under the FHIR base                                             |
| https://b.example/r4/Patient/p_1 | no  | under another                                                   |
| Patient/p_1/_history/x y        | yes  | the version is not looked at                                    |
| Patient/p_2                     | no   | another patient                                                 |
| Patient/p 1                     | no   | an id that FHIR does not allow is another patient's all the same |
| Patient/p_1x                    | no   | longer                                                          |
| Group/p_1                       | none | no patient                                                      |
| urn:uuid:1                      | none | no literal reference                                            |
""")  # fmt: skip


@pytest.mark.parametrize("row", OWNERS, ids=lambda row: row["because"])
def test_an_owner_is_compared_whatever_the_id(row: dict[str, str]) -> None:
    wanted = {"yes": True, "no": False, "none": None}[row["owns"]]
    assert Owner("p_1", "https://a.example/r4").owns(row["reference"]) is wanted
