"""What hospitals really write is read as a person would read it; what cannot be read is quoted, with the true reason."""

from __future__ import annotations

import pytest

from tests.support.wild import FACTS, Payload, answered, differences, payloads, searched


@pytest.mark.parametrize("payload", payloads(), ids=lambda payload: payload.name)
def test_a_payload_is_read(payload: Payload) -> None:
    assert payload.content["from"], "says where the pattern is seen"
    assert payload.content["point"], "makes one point"
    assert payload.content["wanted"], "wants something"
    assert differences(payload, answered(payload)) == []


def test_the_plain_chart_is_grade_1_of_a_high_il6() -> None:
    answer = answered(Payload("plain", {}))
    assert {name: FACTS[name](answer) for name in ("grade", "minimum", "il6", "crp", "doses")} == {
        "grade": 1, "minimum": False, "il6": "high", "crp": "low", "doses": 0,
    }  # fmt: skip


# procedures that no search by our codes finds
OF_LOCAL_CODES = (
    "oxygen/isik-text",
    "oxygen/mii-category-with-local-code",
    "oxygen/ops-oxygen",
    "oxygen/physiotherapy",
)


@pytest.mark.parametrize("name", OF_LOCAL_CODES)
def test_a_procedure_in_progress_is_found_whatever_its_code(name: str) -> None:
    payload = next(p for p in payloads() if p.name == name)
    assert differences(payload, searched(payload)) == []
