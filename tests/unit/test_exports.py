"""The reading of exports: what stands in a file counts and not its name, and one bad place costs that place."""

from __future__ import annotations

import gzip
import json
import os
import resource
from pathlib import Path

import pytest

from cds_server.exports.export import MOST_TOGETHER, Export
from cds_server.exports.unread import MOST_DOCUMENT, MOST_LINE, Unread, Why
from tests.support.exports import concept, observation, patient

ONE = json.dumps(observation("o1", 1, concept("urn:x", "a")))
TWO = json.dumps(patient(1))
BUNDLE = {
    "resourceType": "Bundle",
    "type": "collection",
    "entry": [{"resource": json.loads(ONE)}, {"resource": json.loads(TWO)}],
}
CALL = {
    "hook": "patient-view",
    "prefetch": {"a": BUNDLE, "b": None, "c": patient(2)},
    "context": {"draftOrders": BUNDLE},
}
HISTORY = {"resourceType": "Bundle", "type": "history", "entry": [
    {"resource": json.loads(ONE), "request": {"method": "PUT", "url": "Observation/o1"}},
    {"request": {"method": "DELETE", "url": "Observation/o2"}},
    {"response": {"status": "204"}},
]}  # fmt: skip
DEEP = "[" * 100_000


def read(*paths: Path) -> tuple[list[str], list[tuple[str, Why, int, list[str]]]]:
    """The type and place of every resource; and what could not be read: file name, reason, count, first places."""
    unread = Unread()
    found = [f"{p.type} {p.place}".strip() for portion in Export(paths).portions(unread) for p in portion.placed]
    return found, [(Path(file).name, why, part.count, part.places) for file, why, part in unread]


# what stands in the file                          what is read                                 what is not
SHAPES = {
    "a line each": (f"{ONE}\n{TWO}\n", ["Observation line 1", "Patient line 2"], []),
    "without an end of the last line": (f"{ONE}\n{TWO}", ["Observation line 1", "Patient line 2"], []),
    "Windows ends of lines, empty lines": (f"\r\n{ONE}\r\n\r\n{TWO}\r\n", ["Observation line 2", "Patient line 4"], []),
    "one resource": (ONE, ["Observation"], []),
    "one resource over several lines": (json.dumps(json.loads(ONE), indent=2), ["Observation"], []),
    "one resource, its lines not set in": (json.dumps(json.loads(ONE), indent=0), ["Observation"], []),
    "a Bundle": (json.dumps(BUNDLE), ["Observation entry[0]", "Patient entry[1]"], []),
    "a Bundle over several lines": (json.dumps(BUNDLE, indent=1), ["Observation entry[0]", "Patient entry[1]"], []),
    "Bundles, a line each": (f"{json.dumps(BUNDLE)}\n" * 2, [
        "Observation line 1 entry[0]", "Patient line 1 entry[1]", "Observation line 2 entry[0]", "Patient line 2 entry[1]"], []),
    "Bundles in a Bundle": (
        json.dumps({"resourceType": "Bundle", "entry": [{"resource": BUNDLE, "response": {"status": "200"}}]}),
        ["Observation entry[0] entry[0]", "Patient entry[0] entry[1]"], []),
    "a history": (json.dumps(HISTORY), ["Observation entry[0]"], []),
    "a list": (f"[{ONE},{TWO}]", ["Observation [0]", "Patient [1]"], []),
    "a recorded call": (json.dumps(CALL), [
        "Observation prefetch.a entry[0]", "Patient prefetch.a entry[1]", "Patient prefetch.c",
        "Observation draftOrders entry[0]", "Patient draftOrders entry[1]"], []),
    "nothing": ("", [], []),
    "a bad line": (f"{ONE}\n{{\"resourceType\": \"Obs\n{TWO}\n", ["Observation line 1", "Patient line 3"], [(Why.NOT_JSON, 1, ["line 2"])]),
    "a bad first line": (f"resourceType\n{ONE}\n", ["Observation line 2"], [(Why.NOT_JSON, 1, ["line 1"])]),
    "a first line that is cut off": (f"{ONE[:-5]}\n{TWO}\n", ["Patient line 2"], [(Why.NOT_JSON, 1, ["line 1"])]),
    "empty objects": ("{}\n" * 7 + ONE, ["Observation line 8"], [(Why.NOT_FHIR, 7, ["line 1", "line 2", "line 3", "line 4", "line 5"])]),
    "a type that FHIR has not": ('{"resourceType": "Norepinephrine"}\n' + ONE, ["Observation line 2"], [(Why.NOT_FHIR, 1, ["line 1"])]),
    "a manifest": ('{"transactionTime": "2026-03-06T08:00:00Z", "output": []}', [], [(Why.NOT_FHIR, 1, [])]),
    "an entry without a resource": ('{"resourceType": "Bundle", "entry": [{"fullUrl": "x"}, 3]}', [], [(Why.NOT_FHIR, 2, ["entry[0]", "entry[1]"])]),
    "deep nesting": (f'{{"resourceType": "Observation", "a": {DEEP}\n{ONE}\n', ["Observation line 2"], [(Why.NOT_JSON, 1, ["line 1"])]),
    "a text": ("see the readme\n", [], [(Why.NOT_JSON, 1, [])]),
}  # fmt: skip


@pytest.mark.parametrize("name", ["x.ndjson", "x.json", "x", "Observation.000.ndjson.gz", "x.json.gz"])
@pytest.mark.parametrize("shape", SHAPES)
def test_what_stands_in_a_file_counts_and_not_its_name(shape: str, name: str, tmp_path: Path) -> None:
    content, wanted, not_read = SHAPES[shape]
    packed = gzip.compress(content.encode()) if name.endswith(".gz") else content.encode()
    (tmp_path / name).write_bytes(packed)
    assert read(tmp_path / name) == (wanted, [(name, *one) for one in not_read])


@pytest.mark.parametrize(("name", "places"), [("x.ndjson", (2, ["line 1", "line 3"])), ("x.json", (1, []))])
def test_where_nothing_is_json_the_name_says_whether_lines_are_bad_or_the_file(
    name: str, places: tuple[int, list[str]], tmp_path: Path
) -> None:
    (tmp_path / name).write_text('{"a": 1\n\nb}\n')
    assert read(tmp_path / name) == ([], [(name, Why.NOT_JSON, *places)])


BYTES = {
    # bytes                                                                       read   the reason, the places
    "a byte order mark": (b"\xef\xbb\xbf" + ONE.encode(), 1, []),
    "UTF-16": (ONE.encode("utf-16"), 0, [(Why.NOT_UTF_8, 1, [])]),
    "zip": (b"PK\x03\x04....", 0, [(Why.PACKED, 1, [])]),
    "tar.gz": (gzip.compress(b"x" * 257 + b"ustar" + b"\0" * 300), 0, [(Why.PACKED, 1, [])]),
    "packed in two members, with zeros behind": (gzip.compress(f"{ONE}\n".encode()) * 2 + b"\0" * 50, 2, []),
    "packed and cut off": (
        gzip.compress(f"{ONE}\n".encode()) + gzip.compress(ONE.encode())[:-60],
        1,
        [(Why.CUT_OFF, 1, [])],
    ),
    "packed and damaged": (gzip.compress(f"{ONE}\n".encode()) + b"\x1f\x8bxxxxxxxxxxxx", 1, [(Why.DAMAGED, 1, [])]),
    "a line in Latin-1": (
        ONE.encode().replace(b'"a"', b'"K\xf6rper"') + b"\n" + TWO.encode(),
        1,
        [(Why.NOT_UTF_8, 1, ["line 1"])],
    ),
    "an image": (b"\x89PNG\r\n\x1a\n\0\0", 0, [(Why.NOT_JSON, 1, [])]),
}


@pytest.mark.parametrize("what", BYTES)
def test_other_bytes_are_named_and_what_can_be_read_of_them_is_read(what: str, tmp_path: Path) -> None:
    content, resources, not_read = BYTES[what]
    (tmp_path / "x").write_bytes(content)
    found, named = read(tmp_path / "x")
    assert (len(found), named) == (resources, [("x", *one) for one in not_read])


def test_folders_are_read_to_their_ends_and_each_file_once(tmp_path: Path) -> None:
    """Links may lead back, to themselves or nowhere; a pipe would wait for ever."""
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (inner / "one.ndjson").write_text(ONE)
    (tmp_path / ".hidden.json").write_text(ONE)
    (tmp_path / "outcomes.csv").write_text("patient,event,date,value,course\n")
    (tmp_path / "again.json").hardlink_to(inner / "one.ndjson")
    os.symlink(tmp_path, inner / "back")
    os.symlink("itself", tmp_path / "itself")
    os.symlink("gone", tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe")
    found, named = read(tmp_path, inner, tmp_path / "missing.json")
    assert len(found) == 1
    assert sorted(named) == [
        ("itself", Why.REFUSED, 1, []), ("missing.json", Why.MISSING, 1, []), ("nowhere", Why.MISSING, 1, []),
        ("pipe", Why.NOT_A_FILE, 1, []),
    ]  # fmt: skip


def test_a_line_of_200_mb_is_named_and_does_not_stay_in_memory(tmp_path: Path) -> None:
    with (tmp_path / "x.ndjson").open("wb") as file:
        file.write(b'{"resourceType": "Observation", "note": "')
        for _ in range(200):
            file.write(b"x" * 1_000_000)
        file.write(b'"}\n' + ONE.encode() + b"\n")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert read(tmp_path / "x.ndjson") == (["Observation line 2"], [("x.ndjson", Why.LONG_LINE, 1, ["line 1"])])
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 < 3 * MOST_LINE


def test_what_unpacks_to_far_more_than_its_size_is_given_up(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "bomb.gz", "wb") as file:
        for _ in range(2 * MOST_LINE // 2**20):
            file.write(b" " * 2**20)
    assert read(tmp_path / "bomb.gz") == ([], [("bomb.gz", Why.UNPACKS_TO_TOO_MUCH, 1, [])])


def test_a_document_is_read_up_to_a_limit(tmp_path: Path) -> None:
    with (tmp_path / "x.json").open("wb") as file:
        file.write(b'{"resourceType": "Bundle", "entry": [')
        file.truncate(MOST_DOCUMENT + 1)
    assert read(tmp_path / "x.json") == ([], [("x.json", Why.LARGE_DOCUMENT, 1, [])])


def test_a_bundle_of_resources_yet_to_be_created_keeps_its_references() -> None:
    from cds_server.record.plain_references import with_plain_references  # noqa: PLC0415

    entries = [
        ("urn:uuid:1", b'{"resourceType": "Patient"}'),
        ("urn:uuid:2", b'{"resourceType": "Medication", "id": "m"}'),
        (None, b'{"subject": {"reference": "urn:uuid:1"}, "a": "urn:uuid:2", "b": "urn:uuid:3"}'),
    ]
    assert (
        with_plain_references(entries)[2]
        == b'{"subject": {"reference": "Patient/1"}, "a": "Medication/m", "b": "urn:uuid:3"}'
    )


def test_lines_come_in_portions_of_a_bounded_size(tmp_path: Path) -> None:
    (tmp_path / "x.ndjson").write_text(f"{TWO}\n" * (2 * MOST_TOGETHER + 1))
    portions = [len(portion.placed) for portion in Export([tmp_path]).portions(Unread())]
    assert portions == [MOST_TOGETHER, MOST_TOGETHER, 1]
