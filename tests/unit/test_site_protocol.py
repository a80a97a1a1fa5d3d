"""The protocol of a site: used as written and part of the hash, or the start stops and says what to do."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from cards.deciding.protocol import PACKAGE_PROTOCOL, ProductSituation
from cards.pages.decision_page import decision_page
from cds_server.limits import SettingsError
from cds_server.site_rules import SiteRules, site_rules
from fhir_mappings.facts.thresholds import Status
from tests.support.tables import name_of, rows

OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"
ROW = """
[[product]]
products = ["axicabtagene ciloleucel"]
situation = "early-onset"
text = "call the CAR-T consultant"
source = "label"
read = 2026-03-01
status = "verified"
"""


def of_toml(folder: Path, text: str, thresholds: str = "") -> SiteRules:
    (folder / "protocol.toml").write_text(text, encoding="utf-8")
    (folder / "site.toml").write_text(thresholds, encoding="utf-8")
    return site_rules(folder / "site.toml", None, folder / "protocol.toml")


def example() -> str:
    """The protocol that the operations page gives as an example."""
    blocks = re.findall(r"```toml\n(.*?)```", OPERATIONS.read_text(encoding="utf-8"), re.DOTALL)
    return next(block for block in blocks if "[[product]]" in block)


def test_the_example_of_the_docs_is_a_protocol(tmp_path: Path) -> None:
    found = of_toml(tmp_path, example())
    assert found.protocol.third_line == ("anakinra 100 mg every 6 h", "siltuximab 11 mg/kg")
    assert found.thresholds.toci_rounding == Decimal(20)
    assert found.thresholds.dexamethasone_every == timedelta(hours=8)
    own = found.protocol.lines[0]
    assert (own.situation, own.status) == (ProductSituation.EARLY_ONSET, Status.VERIFIED)


def test_a_row_replaces_those_of_its_product_and_situation(tmp_path: Path) -> None:
    lines = of_toml(tmp_path, ROW).protocol.lines
    early = [line.text for line in lines if line.situation is ProductSituation.EARLY_ONSET and "axi" in line.product]
    assert early == ["call the CAR-T consultant"]
    assert len(lines) == len(PACKAGE_PROTOCOL.lines)


def test_the_protocol_is_in_the_hash_and_on_the_page_to_sign(tmp_path: Path) -> None:
    plain, own = site_rules(None, None), of_toml(tmp_path, f'name = "Ward 7"\n{ROW}')
    assert plain.hash != own.hash != of_toml(tmp_path, ROW).hash
    page = decision_page(own.thresholds, own.terms, own.modes, own.hash, own.protocol)
    assert "## Protocol of Ward 7" in page
    assert (
        "| axicabtagene ciloleucel | early-onset | call the CAR-T consultant | label | 2026-03-01 | verified |" in page
    )


REFUSED = rows("""
| change                                             | to                          | says                                                                              | because                       |
| [[product]]                                        | [products]                  | products is not a section; the sections are name, product, third-line,            | an unknown section            |
| "axicabtagene ciloleucel"                          | "axi"                       | [[product]] 1: products must be a list of products of car-t-product:              | a product that is not known   |
| "early-onset"                                      | "soon"                      | [[product]] 1: situation must be one of early-onset, later-onset,                 | a situation that is not known |
| read = 2026-03-01                                  | read = "March"              | [[product]] 1: read must be a date, such as 2026-11-26.                           | no date                       |
| "verified"                                         | "sure"                      | [[product]] 1: status must be "verified" or "unconfirmed".                        | no status                     |
| source = "label"                                   | origin = "label"            | [[product]] 1: origin is not a field; the fields are products,                    | a field that is not known     |
| text = "call the CAR-T consultant"                 | text = ""                   | [[product]] 1: text must be a text of one line, of at most 160 characters.        | no text                       |
| status = "verified"                                | status = "verified";[third-line];texts = [] | [third-line] must hold texts, a list                              | an empty third line           |
| status = "verified"                                | status = "verified";[tocilizumab];toci_max = "800 mg" | [tocilizumab] toci_max cannot stand here; it may hold toci_rounding. | not of a protocol |
| status = "verified"                                | status = "verified";[tocilizumab];toci_rounding = "20" | toci_rounding has no unit; write it in mg                        | a number without its unit     |
| status = "verified"                                | status = "verified";[corticosteroids];dexamethasone_dose = "8 mg" | dexamethasone_dose must be between 10 and 20 mg       | out of its range              |
""")  # fmt: skip


@pytest.mark.parametrize("row", REFUSED, ids=name_of)
def test_a_protocol_that_cannot_be_used_is_refused(row: dict[str, str], tmp_path: Path) -> None:
    text = ROW.replace(row["change"], row["to"].replace(";", "\n"))
    with pytest.raises(SettingsError) as refused:
        of_toml(tmp_path, text)
    assert str(refused.value).startswith("CRS_CDS_PROTOCOL: ")
    assert row["says"] in str(refused.value)


def test_a_number_stands_in_one_file_only(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="toci_rounding stands in CRS_CDS_THRESHOLDS too"):
        of_toml(
            tmp_path,
            '[tocilizumab]\ntoci_rounding = "20 mg"',
            '[thresholds]\ntoci_rounding = "40 mg"',
        )
