"""The API description, `cds_server/openapi.json` (OpenAPI 3.1), made from what the code uses.

Request bodies come from the marshmallow schemas that read them, statuses from the table of problems, services and
prefetch keys from theirs. `make docs` writes the file; a test fails if it is stale or an address is missing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from marshmallow import Schema

from cds_server.data_keys import DATA_KEYS
from cds_server.hooks.call_schema import call_schema
from cds_server.hooks.feedback import FEEDBACK_ENTRY, MAX_ENTRIES
from cds_server.hooks.services import SERVICES, Service
from cds_server.problems import PROBLEMS, ProblemId
from example_patients.stories.stories import STORIES
from tests.support.api_answers import SCHEMAS, Json, closed, list_of, ref

ROOT = Path(__file__).parents[2]
FILE = ROOT / "cds_server" / "openapi.json"
P = ProblemId
ANYWHERE = (P.BAD_REQUEST, P.INTERNAL)
OF_A_CLIENT = (P.UNTRUSTED, P.BUSY)
OF_A_BODY = (P.NOT_JSON, P.LATE_BODY, P.TOO_LARGE, P.MEDIA_TYPE)
OF_A_CALL = (P.INVALID_REQUEST, P.TOO_MANY_ENTRIES, P.OUT_OF_TIME, P.ANOTHER_PATIENT_SENT, P.UNREADABLE_RECORD,
             P.ANOTHER_PATIENT_SERVED)  # fmt: skip
OF_A_PAGE = (P.NOT_FOUND, P.BUSY, P.OUT_OF_TIME, P.UNREADABLE_RECORD, P.ANOTHER_PATIENT_SERVED, P.TOO_MANY_ENTRIES)
OF_SMART = (P.AHEAD_OF_USER, P.LAUNCH_INCOMPLETE, P.LAUNCH_ELSEWHERE, P.LAUNCH_NOT_BEGUN, P.LAUNCH_DENIED,
            P.LAUNCH_FAILED, P.IN_TRIAL, P.SESSION_ENDED, P.SESSION_UNAVAILABLE, P.BUSY)  # fmt: skip
HTML, JSON, FHIR_JSON = "text/html", "application/json", "application/fhir+json"
INTERFACE = "1"  # of the addresses and bodies; production tells no one the version of the package
EXAMPLE_ID = "8c2e5c4e-4f7e-4a53-9df1-2f3c6a5a1b10"


# an entry that is not as described is named in the answer, or taken where it can mean only one thing
_FEEDBACK: Json = {
    "type": "object",
    "required": ["feedback"],
    "properties": {"feedback": {**list_of(ref("FeedbackEntry")), "minItems": 1, "maxItems": MAX_ENTRIES}},
}
# `accepted_names_suggestions` of the schema, as JSON Schema says it
_ACCEPTED_NAMES_SUGGESTIONS: Json = {
    "if": {"properties": {"outcome": {"const": "accepted"}}},
    "then": {"required": ["acceptedSuggestions"],
             "properties": {"acceptedSuggestions": {"type": "array", "minItems": 1}}},
}  # fmt: skip


def document() -> Json:
    """The whole description as JSON."""
    spec = APISpec(
        title="crs-cds",
        version=INTERFACE,
        openapi_version="3.1.0",
        info={
            "description": "CDS Hooks services that guide tocilizumab and corticosteroids in cytokine release syndrome "
            "after CAR-T cells. docs/integrate.md says what clients send and get, docs/operations.md how to run it. "
            "Addresses with the tag `development` do not exist in production, those with `smart` only where the app "
            "is set up.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        tags=[{"name": name} for name in ("cds-hooks", "operations", "pages", "smart", "development")],
        plugins=[plugin := MarshmallowPlugin(schema_name_resolver=_name)],
    )
    plugin.converter.add_attribute_function(_as_ecma)
    spec.components.security_scheme("client", {
        "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
        "description": "A JWT of CDS Hooks, signed by the client for the address that it calls, valid once.",
    })  # fmt: skip
    spec.components.security_scheme("metrics", {"type": "http", "scheme": "bearer"})
    for name, schema in SCHEMAS.items():
        spec.components.schema(name, schema)
    spec.components.schema("Prefetch", _prefetch())
    spec.components.schema("FeedbackEntry", schema=FEEDBACK_ENTRY)
    spec.components.schema("Feedback", _FEEDBACK)
    spec.components.schemas["FeedbackEntry"] |= _ACCEPTED_NAMES_SUGGESTIONS
    for drafts in dict.fromkeys(service.drafts for service in SERVICES.values()):
        schema = call_schema(drafts)
        spec.components.schema(_name(schema), schema=schema)
    for path, operations in _paths().items():
        spec.path(path, operations=operations)
    return spec.to_dict()


def text() -> str:
    return json.dumps(document(), indent=1, ensure_ascii=False) + "\n"


def _name(schema: Any) -> str:
    kind = schema if isinstance(schema, type) else type(schema)
    assert issubclass(kind, Schema)
    return kind.__name__.lstrip("_")


def _as_ecma(_converter: object, _field: object, ret: Json) -> Json:
    """The pattern of a field as JSON Schema writes it: `$` is the end, and there are no flags."""
    pattern = ret.get("pattern")
    if pattern is None:
        return {}
    plain = pattern.removeprefix("(?i)").replace(r"\Z", "$")
    if pattern.startswith("(?i)"):
        plain = re.sub("[a-z]", lambda letter: f"[{letter[0].upper()}{letter[0]}]", plain)
    return {"pattern": plain if plain.startswith("^") else f"^{plain}"}


def _prefetch() -> Json:
    return {
        "type": ["object", "null"],
        "description": "The data that the templates of discovery ask for. Every key may be left out if the service may "
        "read the data by itself. `cds_server/record/prefetch_shapes.py` has the shapes that it understands.",
        "properties": {
            # without a type, because what cannot be read counts as not supplied
            key.key: {"description": f"A searchset Bundle of {key.resource_type}, or null if there is none"}
            for key in DATA_KEYS
        },
    }


def _requiring(*names: str) -> Json:
    """What a hook asks of the context beside the schema: these fields, with something in them."""
    return {"required": list(names), "properties": {name: {"type": "string", "minLength": 1} for name in names}}


def _paths() -> Mapping[str, Json]:
    paths: dict[str, Json] = {
        "/cds-services": {"get": _operation(
            "discover", "The services and their prefetch templates", "cds-hooks", {200: (JSON, ref("Discovery"))},
            OF_A_CLIENT, security="client",
        )},
    }  # fmt: skip
    for service in SERVICES.values():
        paths |= _paths_of(service)
    return paths | _OPERATIONS | _PAGES | _SMART | _DEVELOPMENT


def _paths_of(service: Service) -> Mapping[str, Json]:
    call: Json = {
        "allOf": [
            ref(_name(call_schema(service.drafts))),
            {
                "properties": {
                    "hook": {"const": service.hook},
                    "prefetch": ref("Prefetch"),
                    **({"context": _requiring(*service.requires)} if service.requires else {}),
                }
            },
        ],
        "example": {
            "hook": service.hook,
            "hookInstance": EXAMPLE_ID,
            "context": {
                "patientId": "123", "userId": "Practitioner/7", **{name: f"of {name}" for name in service.requires}
            },
            "prefetch": {"recentAdministrations": None, "cellTherapyProcedures": None},
        },
    }  # fmt: skip
    return {
        f"/cds-services/{service.id}": {"post": _operation(
            service.id, service.description, "cds-hooks", {200: (JSON, ref("CardsAnswer"))},
            (*OF_A_CLIENT, *OF_A_BODY, *OF_A_CALL), body=call, security="client",
        )},
        f"/cds-services/{service.id}/feedback": {"post": _operation(
            f"{service.id}-feedback", "What users did with the cards of this service", "cds-hooks",
            {200: (JSON, ref("FeedbackAnswer"))},
            (*OF_A_CLIENT, *OF_A_BODY, P.INVALID_FEEDBACK, P.LOG_UNAVAILABLE), body=ref("Feedback"), security="client",
        )},
    }  # fmt: skip


def _operation(
    name: str,
    summary: str,
    tag: str,
    answers: Mapping[int, tuple[str, Json] | None],
    problems: tuple[ProblemId, ...] = (),
    **more: Any,
) -> Json:
    """One operation: its answers by status, the problems that it may tell of, and `body`, `parameters`, `security`.
    The pages of a course tell of problems as a page, and of what does not reach them as every address does."""
    outcome: Json = {FHIR_JSON: {"schema": ref("OperationOutcome")}, **({HTML: {}} if PAGE in answers.values() else {})}
    said = {PROBLEMS[problem].status for problem in (*problems, *ANYWHERE)}
    outcomes: Json = {
        str(status): {
            "description": "; ".join(
                dict.fromkeys(PROBLEMS[p].text for p in (*problems, *ANYWHERE) if PROBLEMS[p].status == status)
            ),
            "content": outcome,
        }
        for status in sorted(said)
    }
    found: Json = {
        str(status): {
            "description": HTTPStatus(status).phrase,
            **({"content": {answer[0]: {"schema": answer[1]} if answer[1] else {}}} if answer else {}),
        }
        for status, answer in answers.items()
    }
    operation: Json = {"operationId": name, "summary": summary, "tags": [tag], "responses": found | outcomes}
    if "parameters" in more:
        operation["parameters"] = more["parameters"]
    if "body" in more:
        operation["requestBody"] = {"required": True, "content": {JSON: {"schema": more["body"]}}}
    if "security" in more:
        operation["security"] = [{more["security"]: []}]
    return operation


def _parameter(name: str, place: str, says: str, **schema: Any) -> Json:
    return {
        "name": name, "in": place, "required": place == "path", "description": says,
        "schema": {"type": "string", **schema},
    }  # fmt: skip


def _file(name: str, what: str, tag: str, folder: str) -> Json:
    there = ROOT / folder
    names = sorted(file.relative_to(there).as_posix() for file in there.rglob("*") if file.is_file())
    file = _parameter("filename", "path", "a file of the folder", enum=names)
    return {"get": _operation(name, what, tag, {200: ("*/*", {}), 304: None}, (P.NOT_FOUND,), parameters=[file])}


PAGE: tuple[str, Json] = (HTML, {})
_OPERATIONS: Mapping[str, Json] = {
    "/health/live": {"get": _operation("live", "Does the process answer", "operations", {200: (JSON, ref("Live"))})},
    "/health/ready": {"get": _operation(
        "ready", "Does everything work; 200 also if degraded", "operations", {200: (JSON, ref("Ready"))}
    )},
    "/metrics": {"get": _operation(
        "metrics", "The counts, as Prometheus reads them", "operations", {200: ("text/plain", {})}, (P.UNTRUSTED,),
        security="metrics",
    )},
    "/openapi.json": {"get": _operation(
        "openapi", "This description", "operations", {200: (JSON, {"type": "object"})}
    )},
}  # fmt: skip
_PAGES: Mapping[str, Json] = {
    "/": {"get": _operation("root", "What this is", "pages", {200: PAGE})},
    "/evidence": {"get": _operation("evidence", "The evidence behind each card", "pages", {200: PAGE})},
    "/static/{filename}": _file("file", "A file that pages load", "pages", "cds_server/static"),
    "/static/course/{filename}": _file(
        "course-file", "A file that the page of a course loads", "pages", "cds_server/course_page/static"
    ),
}
_SESSION = _parameter("session", "query", "the handle of a session")
_SMART: Mapping[str, Json] = {
    "/smart/launch": {"get": _operation(
        "smart-launch", "Begin a launch, by an EHR or standalone", "smart", {303: None, 200: PAGE}, OF_SMART,
        parameters=[
            _parameter("iss", "query", "the FHIR base of the EHR"),
            _parameter("launch", "query", "what the EHR calls the launch"),
            _parameter("appContext", "query", "the decision to show"),
        ],
    )},
    "/smart/callback": {"get": _operation(
        "smart-callback", "Take the browser back from the EHR", "smart", {303: None, 200: PAGE}, OF_SMART,
        parameters=[
            _parameter("state", "query", "the launch that this is of"),
            _parameter("code", "query", "the code to ask a token for"),
            _parameter("error", "query", "why there is no code"),
            _parameter("iss", "query", "the authorization server that answers (RFC 9207)"),
        ],
    )},
    "/smart/course": {"get": _operation(
        "smart-course", "The course of the session's patient", "smart", {200: PAGE}, (*OF_SMART, *OF_A_PAGE),
        parameters=[_SESSION],
    )},
    "/smart/leave": {"post": _operation(
        "smart-leave", "End a session", "smart", {200: PAGE}, OF_SMART, parameters=[_SESSION]
    )},
}  # fmt: skip
_PATIENT = _parameter("patient_id", "path", "the id of a patient", pattern="^[A-Za-z0-9._~-]{1,255}$")
_STORY = _parameter("story_id", "path", "the id of a story", enum=[story.id for story in STORIES])
_OF_THE_DESK = (P.NOT_FOUND, P.NO_DEMO, P.DESK_REQUEST, P.DEMO_FHIR, P.TOO_LARGE)
_DEVELOPMENT: Mapping[str, Json] = {
    "/decision-table": {"get": _operation(
        "decision-table", "The page that a physician signs", "development", {200: PAGE}, (P.NOT_FOUND,)
    )},
    "/demo": {"get": _operation("desk", "The order desk", "development", {200: PAGE})},
    "/demo/stories": {"get": _operation(
        "stories", "The stories of the order desk", "development", {200: (JSON, ref("Stories"))}, (P.NO_DEMO,)
    )},
    "/demo/stories/{story_id}/clock": {"put": _operation(
        "clock", "Make a moment of a story now", "development", {200: (JSON, ref("ClockMoved"))}, _OF_THE_DESK,
        parameters=[_STORY],
        body={**closed({"day": {"type": "integer"}, "clock": {"type": "string"}}), "additionalProperties": True},
    )},
    "/demo/stories/{story_id}/orders": {"put": _operation(
        "orders", "Make drafts active orders", "development", {200: (JSON, ref("OrdersSigned"))}, _OF_THE_DESK,
        parameters=[_STORY],
        body={
            "type": "object", "required": ["orders"],
            "properties": {"orders": {"type": "array", "minItems": 1, "maxItems": 50, "items": {"type": "object"}}},
        },
    )},
    "/demo/static/{filename}": _file(
        "desk-file", "A file that the order desk loads", "development", "order_desk/static"
    ),
    "/demo/course/{patient_id}": {"get": _operation(
        "demo-course", "The course of a patient", "development", {200: PAGE}, OF_A_PAGE, parameters=[_PATIENT]
    )},
}  # fmt: skip


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
