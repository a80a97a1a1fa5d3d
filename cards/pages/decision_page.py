"""The page that a physician signs, as Markdown: unconfirmed items, rows, orders, wording, numbers, units, codes.

It is made from the rules in force, a site's own included. `docs/decision-table.md` is the page of the package's rules.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from string import Formatter

from cards.deciding.card_modes import NEVER_OFF, CardMode, CardModes
from cards.deciding.decision_table import ORDERS, PARTS, CardId, Rule
from cards.deciding.protocol import PACKAGE_PROTOCOL, Protocol
from cards.deciding.rules_version import CITED_RULES
from cards.evidence.card_evidence import CARD_EVIDENCE
from cards.evidence.sources import SOURCES
from cards.pages.protocol_section import protocol_section
from cards.pages.rows_in_words import conditions
from cards.pages.units_section import introduction, results_kept, units_section
from cards.sentences.numbers_and_times import InWords, duration, number
from cards.sentences.phrases import PHRASES
from cards.wording.wording import PROTOCOL, WORDING, Wording
from fhir_mappings.codes.code_systems import LOCAL
from fhir_mappings.codes.packaged_names import UNCONFIRMED, packaged_names
from fhir_mappings.codes.terminology import ANTI_INFECTIVE_SETS, DRUG_SETS, Terminology
from fhir_mappings.facts.thresholds import Number, Status, Thresholds, in_unit, numbers
from fhir_mappings.facts.weight import MEDIAN_SOURCE, MEDIAN_WEIGHTS

INTRODUCTION = """\
# The decision table

This page is what the service does: it is made from the rules that run (`crs-cds decision-table` prints it with a site's
own numbers, codes and card modes). Read it from top to bottom; what is unconfirmed stands first. In force here:
**{version}**, `{hash}`. Every answer carries both; the hash changes with each number, code, row and sentence.

The service advises; it decides nothing and orders nothing by itself. What it is for, and what not, stands in
`docs/intended-use.md`; patients with their answers stand in `docs/clinical-rules.md`.
"""

OPEN_QUESTIONS = (
    "**Methylprednisolone** is suggested at grade 4 and, after two doses of tocilizumab, on progress to grade 3. The "
    "sources give it at grade 4.",
    "**A vasopressor charted long ago** beside one that is running is not counted as a second one, and makes the grade "
    '"at least". Two that were both charted long ago, and together, are grade 4 "if both still run: check the pumps"; '
    "such a grade chooses no methylprednisolone.",
    "**Oxygen that could not be read, without fever**: grade 0 by the fever rule, and a warning beside it.",
    "**Corticosteroids after progress to grade 2**: dexamethasone that is running counts; the specification says that "
    "after progress only methylprednisolone does.",
    "**One corticosteroid order for CRS and ICANS**: with ICANS of grade 3 dexamethasone is offered every 6 h for "
    "both, with ICANS of grade 4 methylprednisolone once a day.",
    "**Tuberculosis, hepatitis B and invasive fungal disease** are named and not counted, also where they were "
    "diagnosed of late. Candidaemia counts.",
    "**Whatever grew in a blood culture** puts infection first at grade 1–2. Nobody tells a contaminant from a "
    "bacteraemia here; that is judged at the bedside.",
    "**An anti-infective** is one by a listed code or name, or by an ATC code that begins with J01, J02 or J05. "
    '"Antibiotics now" gives way only to an antibacterial into a vein, or by no stated route where it is no usual '
    "prophylaxis; what is given to prevent is named beside it.",
    "**Low pressure or low-flow oxygen that was there before the infusion** keeps its row, is said, and neither brings "
    "`other-cause-first` nor keeps the waiver of fever alive.",
    "A culture or PCR is treated as possible infection unless its result text is one we recognise as negative. Blood "
    "and urine cultures and CMV PCR are read, no others.",
    "**Steroid doses below adult age** are not computed; what counts as running there is unconfirmed.",
)

STAR = "\\*"
SIGNATURE = """\
## Signed

`crs-cds sign` writes this into the file that `CRS_CDS_SIGNED` names. Without it no card of these rules is shown in
production.

| name | role | date | site, and the hash above |
|---|---|---|---|
| | | | |
"""


class _Blanks(dict[str, object]):
    """Values for a sentence: the numbers in force are filled in, a patient's values stay as ⟨names⟩."""

    def __missing__(self, name: str) -> str:
        return f"⟨{name.replace('_', ' ')}⟩"


def decision_page(
    t: Thresholds, terms: Terminology, modes: CardModes, rules_hash: str, protocol: Protocol = PACKAGE_PROTOCOL
) -> str:
    """The page as Markdown."""
    blanks = _Blanks(t=InWords(t))
    parts = [
        INTRODUCTION.format(version=CITED_RULES, hash=rules_hash),
        "## Unconfirmed\n\n" + _bullets(_unconfirmed(t, terms)),
        "## Open questions for the clinician\n\n" + _bullets(OPEN_QUESTIONS),
        _rows(t),
        _cards(modes, blanks),
        _sentences(blanks),
        _numbers(t),
        _medians(),
        protocol_section(protocol),
        _units(),
        _codes(terms),
        SIGNATURE,
    ]
    return "\n".join(parts)


def _bullets(lines: Iterable[str]) -> str:
    return "".join(f"- {line}\n" for line in lines)


def _table(head: tuple[str, ...], lines: Iterable[tuple[str, ...]]) -> str:
    rows = [head, ("---",) * len(head), *lines]
    return "".join(
        "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in row) + " |\n" for row in rows
    )


def unconfirmed_numbers(t: Thresholds) -> list[Number]:
    """The numbers in force that nobody has confirmed. A number that the site has set is the site's to answer for."""
    return [
        n for n in numbers() if n.status is Status.UNCONFIRMED and getattr(t, n.name) == getattr(Thresholds(), n.name)
    ]


def _unconfirmed(t: Thresholds, terms: Terminology) -> list[str]:
    lines = [f"**{n.meaning}** {value_words(n, t)} (`{n.name}`): {n.source}." for n in unconfirmed_numbers(t)]
    only_texts = [
        title for set_id, title in terms.titles.items() if all(c.system == LOCAL for c in terms.value_sets[set_id])
    ]
    lines.append(f"**No code could be verified** for: {', '.join(only_texts)}. A site adds its own.")
    doubtful = [c for concepts in terms.value_sets.values() for c in concepts if c.display_unconfirmed]
    lines.append(f"**{len(doubtful)} codes exist but their names are unconfirmed**; they are marked under Codes.")
    names = [name for name in packaged_names() if name.source == UNCONFIRMED]
    lines.append(
        f"**{len(names)} names of drugs of {len(packaged_names())} are unconfirmed**; they are marked under Codes."
    )
    lines.append("**Codes that the sources left unverified are not used**: CAR-T, CRS and ICANS in SNOMED CT, "
                 "obecabtagene autoleucel and angiotensin II in RxNorm, IL-6 codes of unknown specimen. Drugs are also "
                 "read by name.")  # fmt: skip
    return lines


def _rows(t: Thresholds) -> str:
    parts = [
        "## Rows\n\nIn each part a patient meets exactly one row. A condition that is not named holds for any value.\n"
    ]
    for name, rules in PARTS.items():
        lines = [(rule.id, conditions(rule, t) or "always", _gives(rule), rule.source.value) for rule in rules]
        parts.append(f"### {name[0].upper()}{name[1:]}\n\n" + _table(("row", "when", "cards", "source"), lines))
    return "\n".join(parts)


def _gives(rule: Rule) -> str:
    cards = ", ".join(f"`{card}` ({indicator})" for card, indicator in rule.gives)
    return (cards + ("" if rule.orders else ", without orders")) if cards else "–"


def _cards(modes: CardModes, blanks: _Blanks) -> str:
    parts = ["## Cards\n\nIn their order. ⟨…⟩ stands for the patient's values.\n"]
    for card in CardId:
        mode = modes.of(card)
        cannot = ", cannot be off" if card in NEVER_OFF else ""
        state = "" if mode is CardMode.ACTIVE else f" **{mode} at this site.**"
        wording = WORDING[card]
        orders = [order.value.format_map(blanks) for order in ORDERS.get(card, ())]
        parts.append(
            f"### `{card}` {wording.display}{cannot}\n\n{state}**{wording.summary.format_map(blanks)}**\n\n"
            + _bullets(_said(wording, blanks))
            + "".join(f"- ⟨{part.replace('_', ' ')}⟩ is: {_ways(part, blanks)}\n" for part in _parts(wording))
            + (f"- Orders offered: {'; '.join(orders)}.\n" if orders else "- Orders nothing.\n")
            + f"- Source: {wording.source.label}.\n"
            + _evidence(card)
        )
    return "\n".join(parts)


def _evidence(card: CardId) -> str:
    """The evidence and limits of a card, as the page `/evidence` has them."""
    found = CARD_EVIDENCE[card]
    sources = [f"{SOURCES[s].citation} (read {SOURCES[s].read.isoformat()})" for s in found.sources]
    return "\nEvidence and limits:\n\n" + _bullets((*found.rests_on, *found.limits, f"Sources: {'; '.join(sources)}."))


def _sentences(blanks: _Blanks) -> str:
    """The sentences that several cards share, each part once."""
    parts = ["## Sentences of several cards\n"]
    for title, shared in _SHARED:
        lines = [text.strip().format_map(blanks) for part in shared for text in PHRASES[part].values()]
        parts.append(f"### {title}\n\n" + _bullets(lines))
    return "\n".join(parts)


_SHARED = (
    ("ICANS", ("icans", "icans_coded")),
    (
        "Counts, liver enzymes, infection",
        ("caution", "labs_missing", "attributable", "infection_known", "anc", "antibiotics"),
    ),
    ("For some patients", ("extra",)),
    ("What data-quality names", ("doubt",)),
    ("When an order is not offered", ("no_tocilizumab", "not_corrected", "no_steroid", "order")),
    ("On crs-grade beside the evidence", ("state",)),
)
_IN_SHARED = frozenset(part for _, shared in _SHARED for part in shared)


def _parts(wording: Wording) -> list[str]:
    """The ⟨parts⟩ of a card's sentences that can read in several ways, including those inside other parts."""
    found: list[str] = []
    texts = [wording.summary, *wording.every_line]
    while texts:
        fields = [n or "" for _, n, _, _ in Formatter().parse(texts.pop(0))]
        names = [n for n in fields if n in PHRASES and n not in (*found, *_IN_SHARED)]
        found += names
        texts += [text for name in names for text in PHRASES[name].values()]
    return found


def _ways(part: str, blanks: _Blanks) -> str:
    return " / ".join(text.strip().format_map(blanks) or "nothing" for text in PHRASES[part].values())


def _said(wording: Wording, blanks: _Blanks) -> list[str]:
    shown = f"Evidence: {', '.join(wording.shown)}." if wording.shown else ""
    most = f"At most {wording.most_words} words; what does not fit stands in `explain` and on the course page."
    said = [*wording.every_line, shown, most, PROTOCOL]
    return [line.format_map(blanks) for line in said if line and line != "{offers}"]


def _numbers(t: Thresholds) -> str:
    lines = [
        (f"`{n.name}`", n.meaning, value_words(n, t), f"{number(n.low)} to {number(n.high)}", n.source, _status(n, t))
        for n in numbers()
    ]
    head = ("name", "meaning", "value", "a site may set", "source", "status")
    return "## Numbers\n\n" + _table(head, lines)


def _medians() -> str:
    lines = [(number(years), number(kg)) for years, kg in MEDIAN_WEIGHTS]
    return f"## Median weights\n\n{MEDIAN_SOURCE}; unconfirmed. A child far from them is weighed again.\n\n" + _table(
        ("from the age of (years)", "kg"), lines
    )


def value_words(n: Number, t: Thresholds) -> str:
    """A number in force with its unit."""
    unit = "" if n.unit == "1" else f" {n.unit}"
    return f"{number(in_unit(getattr(t, n.name), n.unit))}{unit}"


def _status(n: Number, t: Thresholds) -> str:
    default = Thresholds()
    if getattr(t, n.name) != getattr(default, n.name):
        return f"**set by this site** (package: {value_words(n, default)})"
    return "**unconfirmed**" if n.status is Status.UNCONFIRMED else n.status.value


def _units() -> str:
    head = ("measure", "kept in", "units that are read", "range")
    return f"{introduction()}\n{_table(head, units_section())}\n{results_kept()}"


def _codes(terms: Terminology) -> str:
    lines = []
    for set_id, title in terms.titles.items():
        concepts = terms.value_sets[set_id]
        codes = ", ".join(c.code + (STAR if c.display_unconfirmed else "") for c in concepts if c.system != LOCAL)
        texts = ", ".join(dict.fromkeys(text for c in concepts for text in c.texts))
        sources = "; ".join(dict.fromkeys(c.source for c in concepts if c.system != LOCAL and c.source))
        lines.append((f"{title} (`{set_id}`)", codes or "–", texts or "–", sources or "–"))
    return (
        f"## Codes\n\n{STAR} the code exists, its name is unconfirmed.\n\n"
        + _table(("value set", "codes", "texts", "sources"), lines)
        + _single_drugs(terms)
        + _drug_names()
    )


def _drug_names() -> str:
    """Every name that a text is searched for, by ingredient, with the languages it is used in."""
    by_ingredient: dict[tuple[str, str], list[str]] = {}
    for name in packaged_names():
        star = "" if name.source != UNCONFIRMED else STAR
        words = f"{name.name}{star} ({', '.join(name.languages)})"
        by_ingredient.setdefault((name.ingredient, name.part), []).append(words)
    lines = [
        (f"{ingredient}{' (no drug of ours)' if part == 'other' else ''}", ", ".join(words))
        for (ingredient, part), words in by_ingredient.items()
    ]
    return (
        f"\n### Names of drugs\n\n{STAR} the name is unconfirmed. Where each other one was seen stands beside it in "
        "`fhir_mappings/codes/drug_names.json`.\n\n" + _table(("ingredient", "names"), lines)
    )


def _single_drugs(terms: Terminology) -> str:
    """The traits that the value sets state for single ingredients."""
    named = {
        c.ingredient or c.display: None
        for set_id in (*DRUG_SETS, *ANTI_INFECTIVE_SETS)
        for c in terms.value_sets[set_id]
    }
    lines = []
    for ingredient in named:
        traits = terms.traits(ingredient)
        told = {
            "an amount of it without a rate or a period is a push, however large": traits.also_pushed,
            f"a charted rate counts as running for {duration(traits.carry or timedelta())}": traits.carry,
            "guidance of the product treats CRS before grade 2": traits.treated_early,
            "usually given to prevent: treatment only into a vein": traits.prophylactic,
        }
        if any(told.values()):
            lines.append((ingredient, "; ".join(words for words, holds in told.items() if holds)))
    return "\n### Single drugs\n\n" + _table(("ingredient", "what holds of it"), lines)
