"""The generated documents say what the code does: a stale page fails here, and `make docs` makes it anew."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from string import Formatter

import pytest

from cards.deciding.card_modes import CardModes
from cards.deciding.decision_table import PARTS, CardId
from cards.deciding.rules_version import CITED_RULES
from cards.pages.decision_page import decision_page
from cards.sentences.numbers_and_times import InWords
from cards.sentences.phrases import PHRASES
from cards.wording.wording import WORDING
from cds_server.hooks.services import SERVICES
from cds_server.operations.metrics import Metrics
from cds_server.settings.table import DEVELOPMENT_KEY, OF_THE_TESTS, Setting, Settings, known_names
from cds_server.site_rules import site_rules
from fhir_mappings.codes.code_systems import LOCAL
from fhir_mappings.codes.terminology import packaged_terminology
from fhir_mappings.facts.thresholds import Status, Thresholds, numbers
from tests.support import clinical_rules

ROOT = Path(__file__).parents[2]
SETTINGS: list[Setting] = [field.metadata["setting"] for field in fields(Settings)]
PACKAGES = ("fhir_mappings", "cards", "cds_server", "example_patients", "order_desk")
# what each code system asks for must stand in NOTICE under its name
NOTICED = {
    "http://loinc.org": "LOINC",
    "http://snomed.info/sct": "SNOMED CT",
    "http://www.nlm.nih.gov/research/umls/rxnorm": "RxNorm",
    "http://www.whocc.no/atc": "ATC",
    "http://www.ama-assn.org/go/cpt": "CPT",
    "http://hl7.org/fhir/sid/icd-10-cm": "ICD-10-CM",
    "http://www.cms.gov/Medicare/Coding/ICD10": "ICD-10-PCS",
    "http://fhir.de/CodeSystem/bfarm/ops": "OPS",
    "https://smt.esante.gouv.fr/terminologie-ccam": "CCAM",
    "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation": "HL7",
}


def packaged_page() -> str:
    rules = site_rules(None, None)
    return decision_page(rules.thresholds, rules.terms, rules.modes, rules.hash, rules.protocol)


def test_the_decision_table_page_is_not_stale() -> None:
    assert (ROOT / "docs" / "decision-table.md").read_text(encoding="utf-8") == packaged_page(), "run: make docs"


def test_the_clinical_rules_page_is_not_stale() -> None:
    assert (ROOT / "docs" / "clinical-rules.md").read_text(encoding="utf-8") == clinical_rules.page(), "run: make docs"


def test_the_page_to_sign_has_every_row_card_and_number_and_what_is_unconfirmed_first() -> None:
    page = packaged_page()
    assert all(f"| {rule.id} |" in page for part in PARTS.values() for rule in part)
    assert all(f"### `{card}`" in page for card in CardId)
    assert all(f"| `{number.name}` |" in page for number in numbers())
    doubtful = [number for number in numbers() if number.status is Status.UNCONFIRMED]
    top = page.partition("## Rows")[0]
    assert doubtful
    assert all(number.name in top for number in doubtful)


def test_the_page_of_a_site_shows_its_numbers_in_the_conditions_too() -> None:
    t = Thresholds(il6_fold=Thresholds().il6_fold + 1)
    page = decision_page(t, packaged_terminology(), CardModes(), "0")
    assert "IL-6: ≥5-fold" in page
    assert "**set by this site** (package: 4)" in page
    assert "≥4-fold" not in page


def names_in(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("part", sorted(PHRASES))
def test_a_threshold_in_a_sentence_is_one_of_ours(part: str) -> None:
    for text in PHRASES[part].values():
        for name in names_in(text):
            if name.startswith("t."):
                assert getattr(InWords(Thresholds()), name.removeprefix("t."))


def test_a_threshold_in_a_card_s_words_is_one_of_ours() -> None:
    for wording in WORDING.values():
        for text in (wording.summary, *wording.every_line):
            for name in names_in(text):
                if name.startswith("t."):
                    assert getattr(InWords(Thresholds()), name.removeprefix("t."))


def test_every_code_system_in_use_has_its_notice() -> None:
    notice = (ROOT / "NOTICE").read_text(encoding="utf-8")
    terms = packaged_terminology()
    systems = {c.system for concepts in terms.value_sets.values() for c in concepts} - {LOCAL}
    assert systems == set(NOTICED)
    assert all(NOTICED[system] in notice for system in systems)


def table_of_operations(begins: str) -> dict[str, str]:
    """The second cell of each row of `docs/operations.md` whose first cell begins with a word, by that cell."""
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1:3] for line in text.splitlines() if line.startswith(f"| `{begins}")]
    return {name.strip(" `"): cell.strip(" `") for name, cell in rows}


def test_the_settings_table_has_every_setting_and_no_other() -> None:
    assert set(table_of_operations("CRS_CDS_")) == known_names() - {OF_THE_TESTS}


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_a_default_is_what_the_table_says(setting: Setting) -> None:
    """Where there is none, or it is no secret, the table says in words what holds."""
    said = table_of_operations(setting.name)[setting.name]
    if setting.default and setting.default != DEVELOPMENT_KEY:
        assert said == setting.default


def test_the_changelog_says_what_changed_in_the_rules_of_this_version() -> None:
    assert CITED_RULES in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_readme_lists_every_service_and_no_other() -> None:
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    listed = [line for line in lines if line.startswith("| `crs-")]
    assert listed == [f"| `{s.id}` | {s.hook} | `POST /cds-services/{s.id}` |" for s in SERVICES.values()]


def test_the_metrics_table_has_every_metric_and_no_other() -> None:
    made = {line.split()[2].removesuffix("_created") for line in Metrics("0", "0").page().decode().splitlines()
            if line.startswith("# TYPE") and not line.split()[2].endswith("_created")}  # fmt: skip
    assert {name.partition("{")[0] for name in table_of_operations("crs_cds_")} == made


def paths_to_look_in() -> tuple[str, ...]:
    """Every path in the README's table "to change → look in"."""
    table = (ROOT / "README.md").read_text(encoding="utf-8").partition("| to change | look in |")[2]
    rows = [line for line in table.partition("\n\n")[0].splitlines() if line.startswith("| ")]
    return tuple(path for row in rows for path in re.findall("`([^`]+)`", row.split("|")[2]))


@pytest.mark.parametrize("path", paths_to_look_in())
def test_what_the_readme_says_to_look_in_exists(path: str) -> None:
    assert (ROOT / path).exists()


def test_the_readme_says_of_every_room_what_to_look_for_there() -> None:
    modules = [f for package in PACKAGES for f in (ROOT / package).rglob("*.py") if f.name != "__init__.py"]
    rooms = {f"{file.parent.relative_to(ROOT)}/" for file in modules}
    assert [room for room in sorted(rooms) if not any(path.startswith(room) for path in paths_to_look_in())] == []
