"""The JSON Schemas of the service's answers, for its API description. Every list of words in them is one of the code's.

The objects that this service makes are closed: a field that is added without a word here fails the tests. FHIR
resources and what a later version may add to health are left open.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from cards.deciding.card import EVIDENCE_EXTENSION, SUMMARY_LIMIT
from cards.deciding.decision_table import CardId, Indicator
from cards.deciding.verdict import Category
from cds_server.data_keys import DATA_KEYS
from cds_server.hooks.assessment import ASSESSMENT_EXTENSION, MOST_SET_ASIDE
from cds_server.hooks.feedback import MAX_ENTRIES
from cds_server.hooks.services import CDS_HOOKS_VERSION, SERVICES
from cds_server.problems import MOST_ISSUES, PROBLEMS
from fhir_mappings.facts.analytes import ANALYTES
from fhir_mappings.facts.labs import Reason

Json = dict[str, Any]

TEXT: Json = {"type": "string", "minLength": 1}
UUID: Json = {"type": "string", "format": "uuid"}
WHOLE: Json = {"type": "integer", "minimum": 0}
YES: Json = {"const": True}
MOMENT: Json = {"type": "string", "format": "date-time"}


def closed(required: Mapping[str, Json], **optional: Json) -> Json:
    """An object with these fields and no other."""
    return {
        "type": "object",
        "required": list(required),
        "properties": {**required, **optional},
        "additionalProperties": False,
    }


def list_of(items: Json, **more: int) -> Json:
    return {"type": "array", "items": items, **more}


def one_of(words: Iterable[str]) -> Json:
    return {"type": "string", "enum": sorted(set(words))}


def ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


# a client with `profile = "epic"` gets the ids of cards without hyphens
_TOPICS = one_of(code for card in CardId for code in (card.value, card.value.replace("-", "")))
_CODING = closed({"code": TEXT, "system": TEXT}, display=TEXT)
_RANGE = closed({"low": {"type": "number"}}, high={"type": "number"})
_SAMPLE = {
    **closed(
        {"unit": TEXT, "at": {"anyOf": [MOMENT, {"type": "string", "format": "date"}]}, "reference": TEXT},
        value={"type": "number"},
        range=_RANGE,
    ),
    "oneOf": [{"required": ["value"]}, {"required": ["range"]}],
}
_FOLD = closed(
    {}, category=one_of(Category), foldChange={"type": "number"}, foldRange=_RANGE, baseline=ref("Sample"),
    peak=ref("Sample"), reason=one_of(Reason),
)  # fmt: skip

_INDEXES = list_of({**WHOLE, "maximum": MAX_ENTRIES - 1}, minItems=1)

SCHEMAS: Mapping[str, Json] = {
    "Sample": _SAMPLE,
    "Fold": {**_FOLD, "description": "The rise of an analyte since the CAR-T infusion."},
    "Assessment": {
        **closed(
            {"asOf": MOMENT, "thresholds": {"type": "string", "pattern": "^[0-9a-f]+$"}},
            rules=list_of(TEXT),
            rulesVersion=TEXT,
            flags=list_of(TEXT),
            evidence=list_of(TEXT),
            setAside=list_of(closed({"reference": {"type": "string"}, "why": TEXT}), maxItems=MOST_SET_ASIDE),
            setAsideMore=WHOLE,
            day={"type": "integer"},
            infusion=closed({"reference": TEXT, "at": MOMENT}),
            crsGrade={"type": "integer", "minimum": 0, "maximum": 4},
            crsGradeIsMinimum=YES,
            provisionalGrade={"type": "integer", "minimum": 0, "maximum": 4},
            tocilizumabDoses=WHOLE,
            icansGrade={"type": "integer", "minimum": 0, "maximum": 4},
            **{analyte.id: ref("Fold") for analyte in ANALYTES if analyte.limit is not None},
        ),
        "description": "The reasoning behind an answer; `docs/integrate.md` says what each field means.",
    },
    "Action": closed(
        {"type": one_of(["create", "update"]), "description": TEXT, "resource": {"type": "object"}},
    ),
    "Suggestion": closed(
        {"label": TEXT, "uuid": UUID, "actions": list_of(ref("Action"), minItems=1)}, isRecommended=YES
    ),
    "Link": {
        **closed({"label": TEXT, "url": TEXT, "type": one_of(["absolute", "smart"])}, appContext=UUID),
        "description": "To the evidence of the card; to the course of the patient, with `appContext`, by SMART.",
    },
    "EvidenceItem": {
        **closed({"reference": TEXT, "what": TEXT}, value={"type": "number"}, unit=TEXT, at=MOMENT),
        "description": "A record that the card rests on.",
    },
    "Card": closed(
        {
            "uuid": UUID,
            "summary": {**TEXT, "maxLength": SUMMARY_LIMIT - 1},
            "detail": {**TEXT, "description": "GitHub-flavoured Markdown without HTML"},
            "indicator": one_of(Indicator),
            "source": closed(
                {"label": TEXT, "topic": closed({"system": TEXT, "code": _TOPICS, "display": TEXT})}, url=TEXT
            ),
        },
        suggestions=list_of(ref("Suggestion"), minItems=1),
        selectionBehavior={"const": "any"},
        overrideReasons=list_of(_CODING, minItems=1),
        links=list_of(ref("Link"), minItems=1),
        extension=closed({EVIDENCE_EXTENSION: list_of(ref("EvidenceItem"), minItems=1)}),
    ),
    "CardsAnswer": {
        **closed(
            {"cards": list_of(ref("Card"))},
            extension=closed({ASSESSMENT_EXTENSION: ref("Assessment")}),
        ),
        "description": "In shadow no card and no extension. Otherwise the assessment says why there is no card.",
    },
    "Discovery": closed({
        "services": list_of(closed({
            "id": one_of(SERVICES),
            "hook": one_of(service.hook for service in SERVICES.values()),
            "title": TEXT,
            "description": TEXT,
            "version": {"const": CDS_HOOKS_VERSION},
            "hookVersion": TEXT,
            "prefetch": {
                "type": "object",
                "propertyNames": one_of(key.key for key in DATA_KEYS),
                "additionalProperties": TEXT,
            },
            "usageRequirements": TEXT,
        })),
    }),
    "FeedbackAnswer": {
        **closed(
            {},
            unmatched=_INDEXES,
            refused=_INDEXES,
            malformed=_INDEXES,
        ),
        "description": "The indexes of entries whose card is not known, of those of another client's card, and of those "
        "that could not be read. Every other entry is stored.",
    },
    "Live": closed({"status": {"const": "live"}}),
    "Ready": {
        "type": "object",
        "required": ["status", "decisionsLost"],
        "properties": {"status": one_of(["ready", "degraded"]), "decisionsLost": WHOLE},
        "description": "Of the worker that answered. If it is degraded, each part that is says why.",
    },
    "OperationOutcome": closed({
        "resourceType": {"const": "OperationOutcome"},
        "issue": list_of(
            closed(
                {
                    "severity": {"const": "error"},
                    "code": one_of(kind.code for kind in PROBLEMS.values()),
                    "details": closed({"text": one_of(kind.text for kind in PROBLEMS.values())}),
                    "diagnostics": TEXT,
                },
                expression=list_of(TEXT, minItems=1, maxItems=1),
            ),
            minItems=1,
            maxItems=MOST_ISSUES,
        ),
    }),
    "Moment": closed({"day": {"type": "integer"}, "clock": {"type": "string", "pattern": "^[0-9]{2}:[0-9]{2}$"}}),
    "Stories": closed({
        "fhirServer": TEXT,
        "zone": TEXT,
        "stories": list_of(closed({
            "id": TEXT,
            "title": TEXT,
            "line": TEXT,
            "patientId": TEXT,
            "scenes": list_of(ref("Moment")),
            "moments": list_of(ref("Moment")),
            "lastDay": {"type": "integer"},
            "orders": list_of(closed({"label": TEXT, "draft": {"type": "object"}})),
        })),
    }),
    "ClockMoved": closed({"patientId": TEXT, "now": MOMENT}),
    "OrdersSigned": closed({"signed": WHOLE}),
}  # fmt: skip
