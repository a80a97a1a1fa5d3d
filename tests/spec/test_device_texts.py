"""A device text counts only where every word of it is accounted for; else it is quoted, and oxygen is not known."""

from __future__ import annotations

import time
from itertools import product

import pytest

from fhir_mappings.codes.devices.device_terms import TermKind, packaged_terms, spellings, vocabulary_sources
from fhir_mappings.codes.devices.device_texts import device_text, is_of_respiratory_support
from fhir_mappings.codes.observed_sets import DEVICE_OF_SET
from tests.support.device_texts import NOT_READ, NOT_READ_APART, NUMBERS_ALONE, READ, READ_APART
from tests.support.tables import rows
from tests.support.text_readings import WORDS, device_read, device_wanted, table

FALSE_FRIENDS = table("device_false_friends.txt")
LANGUAGES = {
    "en", "de", "fr", "es", "it", "pt", "nl", "sv", "da", "no", "fi", "pl", "cs", "tr", "ja", "ko", "zh-Hans", "zh-Hant",
}  # fmt: skip
# one word of each language that turns a device into none: no table may hold it as a word that changes nothing
DENIALS = (
    "off", "no", "not", "without", "removed", "stopped", "discontinued", "refused", "refuses", "declined", "weaned", "weaning",
    "extubated", "failed", "trial", "prn", "standby", "planned", "if", "or", "previously", "last", "was", "N/A", "NA", "deferred", "pending", "ordered", "consider", "needs", "may", "when", "d/c", "dc", "s/p", "hx", "hold", "held", "versus", "vs", "bedside", "until",
    "kein", "nicht", "ohne", "aus", "ab", "abgesetzt", "entfernt", "verweigert", "geplant", "extubiert", "von", "oder", "falls",
    "pas", "sans", "non", "arrêt", "refuse", "retiré", "sevrage", "extubé", "prévu", "ou", "si", "sin", "retirada", "rechaza",
    "suspendida", "destete", "extubado", "o", "senza", "sospesa", "rifiuta", "svezzamento", "estubato", "rimosso", "sem", "não",
    "recusa", "desmame", "retirado", "niet", "zonder", "uit", "af", "gestopt", "weigert", "ontwend", "of", "utan", "ej", "av",
    "vägrar", "borttagen", "extuberad", "eller", "uden", "ikke", "nægter", "fjernet", "ekstuberet", "uten", "nekter", "ekstubert",
    "ei", "ilman", "poistettu", "kieltäytyy", "ekstuboitu", "bez", "nie", "odmawia", "usunięto", "odłączony", "lub", "ne",
    "odmítá", "odstraněna", "odpojen", "nebo", "yok", "değil", "reddetti", "ayrıldı", "ekstübe", "veya", "?", "→", "(-)",
    "中止", "離脱", "拒否", "除去", "予定", "終了", "抜去", "未", "非", "중단", "제거", "거부", "이탈", "예정", "대기", "안",
    "停", "撤", "拔", "拒绝", "拟", "未", "备用", "必要时", "改", "後", "后",
)  # fmt: skip


@pytest.mark.parametrize("row", [*READ_APART, *READ], ids=lambda row: row["text"])
def test_a_text_that_a_nurse_places_is_read_with_its_numbers(row: dict[str, str]) -> None:
    assert device_read(row["text"]) == device_wanted(row)


@pytest.mark.parametrize("row", [*NOT_READ_APART, *NOT_READ], ids=lambda row: row["text"])
def test_a_text_with_a_word_left_is_no_device(row: dict[str, str]) -> None:
    assert device_read(row["text"])[0] == ""


@pytest.mark.parametrize("row", FALSE_FRIENDS, ids=lambda row: row["text"])
def test_words_that_are_all_known_and_do_not_belong_together_are_no_device(row: dict[str, str]) -> None:
    assert device_read(row["text"])[0] == ""


@pytest.mark.parametrize("row", NUMBERS_ALONE, ids=lambda row: row["text"])
def test_numbers_without_a_device_count_by_themselves(row: dict[str, str]) -> None:
    assert device_text(row["text"], WORDS).whole
    assert device_read(row["text"]) == device_wanted(row | {"row": ""})


def test_there_are_enough_texts_and_half_of_them_were_written_apart() -> None:
    assert len(READ_APART) >= 75
    assert len(NOT_READ_APART) >= 75
    assert len(READ_APART) + len(READ) >= 150
    assert len(NOT_READ_APART) + len(NOT_READ) >= 150


@pytest.mark.parametrize("denial", sorted(set(DENIALS)))
def test_a_word_that_denies_or_defers_is_never_accounted_for(denial: str) -> None:
    devices = ("BiPAP", "mask", "NC 2 L/min", "Beatmung", "人工呼吸器", "인공호흡기", "呼吸机", "HFNC")
    read = [
        text
        for device, (before, after) in product(devices, ((f"{denial} ", ""), ("", f" {denial}")))
        if device_text(text := f"{before}{device}{after}", WORDS).device is not None
    ]
    assert read == []


def test_every_term_of_a_device_is_read_as_that_device_alone() -> None:
    wrong = {
        f"{term.text} ({term.language})": device_text(text, WORDS)
        for term in packaged_terms()
        if term.kind is TermKind.DEVICE
        for text in (term.text, term.text.upper(), *(() if term.capitals else (unfolded(w) for w in spellings(term))))
        if device_text(text, WORDS).device != DEVICE_OF_SET[term.set_id]
    }
    assert wrong == {}


def unfolded(words: str) -> str:
    return words.replace("oxy", "o2").replace("hho", "h2o")


def test_every_language_has_its_devices_its_room_air_and_its_words() -> None:
    needed = {
        *((TermKind.DEVICE, s) for s in ("low-flow-oxygen", "high-flow-oxygen", "cpap-bipap", "mechanical-ventilation")),
        (TermKind.DEVICE, "room-air"), (TermKind.NO_OXYGEN, ""), (TermKind.AIRWAY, ""), (TermKind.HOME, ""),
        (TermKind.WORD, ""), (TermKind.RESPIRATORY_STEM, ""),
    }  # fmt: skip
    for language in LANGUAGES:
        assert needed <= {(t.kind, t.set_id) for t in packaged_terms() if t.language == language}, language


def test_every_term_names_a_source_or_is_unconfirmed() -> None:
    assert {term.source for term in packaged_terms()} <= vocabulary_sources().keys()
    assert {term.language for term in packaged_terms()} == LANGUAGES


SUPPORT = rows("""
| text                                   | respiratory |
| Weaning from noninvasive ventilation   | yes         |
| Oxygen therapy                         | yes         |
| Atemunterstützung intermittierend      | yes         |
| 酸素療法 間欠的                        | yes         |
| sevrage de la ventilation              | yes         |
| extracorporeal gas exchange            | yes         |
| Hemodialysis                           | no          |
| Chemotherapy                           | no          |
| Blood transfusion                      | no          |
| Ventriculostomy                        | no          |
| 化疗                                   | no          |
""")


@pytest.mark.parametrize("row", SUPPORT, ids=lambda row: row["text"])
def test_a_procedure_is_one_of_respiratory_support_by_a_word_of_it(row: dict[str, str]) -> None:
    assert is_of_respiratory_support(row["text"], WORDS) == (row["respiratory"] == "yes")


def test_the_time_of_a_text_grows_with_its_length_and_ends_where_it_is_cut() -> None:
    def seconds(length: int) -> float:
        text = ("nc 2 l 高流量 " * length)[:length]
        times = []
        for _ in range(3):
            begun = time.process_time()
            for _ in range(1000):
                device_text(text, WORDS)
            times.append(time.process_time() - begun)
        return min(times)

    assert seconds(200) <= 3 * seconds(100)
    assert device_text("NC " * 100, WORDS).device is None
