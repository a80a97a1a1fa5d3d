"""The six rules by which a medication is read, one by one: its codes, its texts, its ingredients and its route together.

`code` is an ATC, RxNorm or local code as `system code`; `ingredients` are texts. `wanted` is in the words of
`text_readings.read_as`.
"""

from __future__ import annotations

import pytest

from fhir_mappings.facts.treatment import Route
from fhir_mappings.medications.products import Part, Product
from fhir_mappings.reading import fhir_structs as fs
from tests.support.tables import name_of, rows
from tests.support.text_readings import medication_read_as

SYSTEMS = {
    "ATC": "http://www.whocc.no/atc",
    "ATC-DE": "http://fhir.de/CodeSystem/bfarm/atc",
    "RxNorm": "urn:oid:2.16.840.1.113883.6.88",
    "PZN": "http://fhir.de/CodeSystem/ifa/pzn",
    "local": "urn:oid:1.2.840.114350.1.13.0.1.7.2.698288",
    "masked": "http://terminology.hl7.org/CodeSystem/data-absent-reason",
}
MEDICATIONS = rows("""
| rule | code           | text                              | ingredients                            | route       | wanted                    | because                                        |
| 1    | RxNorm 7512    | Premix 12                         |                                        |             | norepinephrine            | a code of ours decides                         |
| 1    | ATC C01CA03    | Sodium chloride 0.9 % 250 mL      |                                        |             | norepinephrine            | whatever the text says                         |
| 1    | ATC-DE C01CA03 |                                   |                                        |             | norepinephrine            | under a national address                       |
| 1    | RxNorm 7512    | norepinephrine level              |                                        |             | norepinephrine            | a code leaves no doubt of an assay             |
| 1    | RxNorm 7512    | norepinephrina                    |                                        |             | norepinephrine            | nor of spelling                                |
| 1    | local 4711     | Noradrenalin 5 mg                 |                                        |             | norepinephrine            | a code that is not ours decides nothing        |
| 1    | PZN 02756285   | Natriumchlorid 0,9 %              |                                        |             | other                     | nor does it make a drug of ours                |
| 1    | ATC J01DH02    |                                   |                                        |             | other                     | an ATC code of five levels names another drug  |
| 1    | ATC C01CA      |                                   |                                        |             | ?any                      | a group of ATC names none                      |
| 1    | local 4711     |                                   |                                        |             | ?any                      | a local code alone may be any drug             |
| 1    | masked masked  | dexamethasone                     |                                        |             | dexamethasone             | a masked code says nothing, its text does      |
| 1    | masked masked  |                                   |                                        |             | ?any                      | and alone nothing says what it is              |
| 2    |                | ＮＯＲＡＤＲＥＮＡＬＩＮＥ        |                                        |             | norepinephrine            | full width letters                             |
| 2    |                | METHYL-PREDNISOLONE 40MG          |                                        |             | methylprednisolone        | a hyphen within the name                       |
| 2    |                | Prednisolon-21-hydrogensuccinat   |                                        |             | prednisolone              | a salt joined to it                            |
| 2    |                | Metylprednisolonnatriumsuccinat   |                                        |             | methylprednisolone        | salts joined to it                             |
| 3    |                | Levophed (norepinephrine)         | norepinephrine bitartrate; water       |             | norepinephrine            | one drug written three times                   |
| 3    |                | ノルアドレナリン                  | norepinephrine                         |             | norepinephrine            | in two languages                               |
| 3    |                | vasopressors                      | norepinephrine; phenylephrine          |             | norepinephrine + phenylephrine | two drugs in one bag                      |
| 3    |                |                                   | isoprenaline                           |             | other                     | a name that holds one of ours                  |
| 4    |                | articaine                         | epinephrine                            |             | other                     | beside a local anaesthetic                     |
| 4    | ATC C01CA24    | lidocaine 1 % with epinephrine    |                                        |             | other                     | whatever its code says                         |
| 4    |                | phenylephrine 10 mg/mL            |                                        | LOCAL       | other                     | by its route                                   |
| 4    |                | phenylephrine nasal               |                                        | INTRAVENOUS | phenylephrine             | the route is nearer than a word of the name    |
| 4    |                | Dexamethason 0,1 %                |                                        |             | other                     | a steroid in percent of itself                 |
| 4    |                | Dexamethason 8 mg in NaCl 0,9 %   |                                        |             | dexamethasone             | the percentage is of the carrier               |
| 4    |                | dexamethasone                     |                                        | LOCAL       | other                     | a steroid by its route                         |
| 4    |                | cold remedy                       | phenylephrine; acetaminophen           |             | acetaminophen             | the antipyretic of a cold remedy counts        |
| 4    |                | ephedrine and guaifenesin         |                                        |             | other                     | ephedrine of a cold remedy                     |
| 4    |                | tocilizumab                       | tocilizumab; polysorbate               | LOCAL       | tocilizumab               | only steroids and vasopressors act locally     |
| 5    |                | acetaminophen level               |                                        |             | ?antipyretic              | beside a word of an assay                      |
| 5    |                | vasopressin antagonist            |                                        |             | ?vasopressin              | beside a word of a receptor                    |
| 5    |                | tocilizumab, IL-6 receptor antibody |                                      |             | tocilizumab               | a blocker is called so itself                  |
| 5    |                | norepinephrin bitartrat level     | saline                                 |             | ?vasopressor              | a carrier takes no doubt away                  |
| 5    |                | Sodium chloride 0.9 % 250 mL      | norepinehrine                          |             | ?vasopressor              | an ingredient one letter off                   |
| 5    |                | dexamethazone eye drops           |                                        |             | other                     | what is local would be none of ours            |
| 5    |                | norepi drip                       |                                        |             | ?vasopressor              | a bedside abbreviation                         |
| 5    |                | levo for pneumonia, last dose given in the evening |                       |             | other                     | not in a longer text                           |
| 5    |                | Норадреналин                      |                                        |             | ?any                      | a script without a column                      |
| 5    |                | Норадреналин Norepinephrine       |                                        |             | norepinephrine            | beside a name that is known                    |
| 5    |                | vasopressin receptor blocker; norepinephrine |                             |             | ?vasopressin+vasopressor  | both are in doubt                              |
| 6    |                | 生理食塩液                        |                                        |             | other                     | saline in Japanese                             |
| 6    |                | 0.9% 氯化钠注射液                 | 氯化钠                                 |             | other                     | saline in Chinese                              |
| 6    |                | 250                               |                                        |             | ?any                      | a text without a letter says nothing           |
""")  # fmt: skip


@pytest.mark.parametrize("row", MEDICATIONS, ids=name_of)
def test_a_medication_is_read_by_the_rules(row: dict[str, str]) -> None:
    system, _, code = row["code"].partition(" ")
    codings = (fs.Coding(system=SYSTEMS[system], code=code),) if system else ()
    concept = fs.CodeableConcept(codings, row["text"] or None)
    ingredients = [text.strip() for text in row["ingredients"].split(";") if text.strip()]
    parts = [Part(concept), *(Part(fs.CodeableConcept((), text), is_ingredient=True) for text in ingredients)]
    route = Route[row["route"]] if row["route"] else Route.NOT_STATED
    assert medication_read_as(Product(tuple(parts)), route) == row["wanted"]


def test_each_rule_has_its_medications() -> None:
    assert {row["rule"] for row in MEDICATIONS} == set("123456")
