"""What a text that names a medication is read as. The tables are `drug_texts.txt` and `car_t_texts.txt`.

`wanted` is in the words of `text_readings.read_as`.
"""

from __future__ import annotations

from collections import Counter

import pytest

from fhir_mappings.codes.code_systems import ALIASES, canonical_system
from fhir_mappings.codes.folding import folded
from fhir_mappings.codes.packaged_names import UNCONFIRMED, packaged_names
from fhir_mappings.facts.treatment import OURS, DrugClass
from fhir_mappings.medications.identified import UNNAMED, contents
from fhir_mappings.medications.products import Part, Product
from fhir_mappings.reading import fhir_structs as fs
from tests.support.text_readings import TERMS, cells_of_administration, cells_of_procedure, read_as, table

DRUGS = table("drug_texts.txt")
CELLS = table("car_t_texts.txt")
MUST_NOT_MATCH = 400  # texts of drugs that are none of ours
LANGUAGES = frozenset(
    ["en", "de", "fr", "es", "it", "pt", "nl", "sv", "da", "no", "fi", "pl", "cs", "tr", "ja", "ko", "zh", "zh-Hant"]
)
# ways to write a name that change nothing
WAYS = ("{}", "{} 4 mg/mL", "({})", "{} in sodium chloride 250 mL", "IV {}, premix")


@pytest.mark.parametrize("row", DRUGS, ids=lambda row: row["text"])
def test_a_text_is_read_as_a_person_would(row: dict[str, str]) -> None:
    assert read_as(row["text"]) == row["wanted"]


def test_the_table_is_long_enough_to_hold_the_rules() -> None:
    rules = Counter(row["rule"][0] for row in DRUGS)
    assert len({row["text"] for row in DRUGS}) == len(DRUGS)
    assert sum(row["wanted"] == "other" for row in DRUGS) >= MUST_NOT_MATCH
    assert min(rules[rule] for rule in "345") >= 20
    assert len(CELLS) >= 60


@pytest.mark.parametrize("way", WAYS)
def test_every_name_in_every_spelling_is_the_same_ingredient(way: str) -> None:
    wrong = []
    for name in packaged_names():
        wanted = name.ingredient if TERMS.drug_named(name.ingredient).drug_class is not DrugClass.OTHER else "other"
        spellings = {name.name, name.name.upper(), name.name.replace("-", " "), folded(name.name)}
        texts = [way.format(spelling) for spelling in spellings]
        wrong += [(text, found) for text in texts if (found := read_as(text)) != wanted]
    assert wrong == []


def test_each_name_is_one_ingredient_of_languages_that_are_listed_with_its_source() -> None:
    ingredients: dict[str, set[str]] = {}
    for name in packaged_names():
        ingredients.setdefault(folded(name.name), set()).add(name.ingredient)
        assert set(name.languages) <= LANGUAGES
        assert name.source
        assert len(name.name) > 2 or not name.name.isascii()
    assert {name: found for name, found in ingredients.items() if len(found) > 1} == {}
    assert UNCONFIRMED in {name.source for name in packaged_names()}


def test_every_ingredient_of_a_value_set_has_a_name_in_every_language_but_the_cells() -> None:
    spoken: dict[str, set[str]] = {}
    for name in packaged_names():
        spoken.setdefault(name.ingredient, set()).update(name.languages)
    cells = {i for i in spoken if TERMS.drug_named(i).drug_class is DrugClass.CAR_T}
    ours = {i for i in spoken if TERMS.drug_named(i).drug_class in OURS} - cells
    assert {i: LANGUAGES - spoken[i] for i in ours if spoken[i] != LANGUAGES} == {}
    of_sets = {c.ingredient for s in OURS for c in TERMS.value_sets[s.value]} - {"CAR-T cells"}
    assert of_sets <= set(spoken)


@pytest.mark.parametrize(
    ("text", "coding", "wanted"),
    [
        ("norepinephrine level", fs.Coding("urn:oid:2.16.840.1.113883.6.88", "7512"), "norepinephrine"),
        ("", fs.Coding("http://fhir.de/CodeSystem/bfarm/atc", "C01CA03", "Norepinephrin"), "norepinephrine"),
        ("", fs.Coding("https://www.whocc.no/atc/|2024", "C01CA03"), "norepinephrine"),
        ("Ondansetron", fs.Coding("http://www.whocc.no/atc", "L04AC07"), "tocilizumab"),
        ("Noradrenalin Perfusor", fs.Coding("http://fhir.de/CodeSystem/ifa/pzn", "00000000"), "norepinephrine"),
        ("", fs.Coding("urn:local", "17"), "?any"),
        ("", fs.Coding("http://terminology.hl7.org/CodeSystem/data-absent-reason", "masked", "Masked"), "?any"),
        ("***", None, "?any"),
        ("lidocaine with epinephrine", fs.Coding("urn:oid:2.16.840.1.113883.6.88", "3992"), "other"),
        ("Kymriah education", fs.Coding("http://www.whocc.no/atc", "L01XL04"), "tisagenlecleucel"),
    ],
)
def test_a_code_of_ours_decides_and_another_decides_nothing(text: str, coding: fs.Coding | None, wanted: str) -> None:
    assert read_as(text, coding) == wanted


@pytest.mark.parametrize(
    ("system", "wanted"),
    [(way.format(alias), system) for system, aliases in ALIASES.items() for alias in aliases
     for way in ("{}", "urn:oid:{}", "http://{}", "https://www.{}/", "HTTPS://{}|2024") if ("urn" in way) == alias[0].isdigit() or way == "{}"]
    + [("http://snomed.info/sct/900000000000207008/version/20240101", "http://snomed.info/sct"), ("urn:other", "urn:other")],
)  # fmt: skip
def test_a_code_system_is_known_under_every_address(system: str, wanted: str) -> None:
    assert canonical_system(system) == wanted


@pytest.mark.parametrize("row", CELLS, ids=lambda row: row["text"])
def test_a_procedure_and_an_administration_are_infusions_of_car_t_cells_by_the_same_words(row: dict[str, str]) -> None:
    assert (cells_of_procedure(row["text"]), cells_of_administration(row["text"])) == (row["wanted"], row["wanted"])


def test_what_names_nothing_may_be_any_drug() -> None:
    assert contents(Product(()), TERMS)[0].drug == UNNAMED
    assert contents(Product((Part(),), unread=True), TERMS)[0].drug == UNNAMED
    assert read_as("x " * 400) == "?any", "too long to be read to its end"
