"""The inventory of an export, counted portion by portion."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import msgspec

from cds_server.exports.documents import BAD, Placed
from cds_server.exports.export import Export, Portion
from cds_server.exports.unread import Unread
from cds_server.inventory.batch import Batch
from cds_server.inventory.concepts import Concepts, Refusal
from cds_server.inventory.diagnoses import Diagnoses
from cds_server.inventory.in_force import InForce
from cds_server.inventory.medications import Medications
from cds_server.inventory.medications_elsewhere import Medications as MedicationsElsewhere
from cds_server.inventory.observations import Observations
from cds_server.inventory.patients import Patients
from cds_server.inventory.procedures import Procedures
from cds_server.inventory.tally import Seen, Tallies, Tally
from fhir_mappings.reading import fhir_structs as fs
from fhir_mappings.reading.resources import header_of

_outcome = msgspec.json.Decoder(fs.OperationOutcome)
_FAILURES = frozenset({"error", "fatal"})
_OUTCOME = "OperationOutcome"


class Inventory:
    """All that was counted. `failures` are the errors that the export itself reports."""

    def __init__(self, in_force: InForce) -> None:
        self.in_force = in_force
        self.unread = Unread()
        self.types: Counter[str] = Counter()
        self.failures = Tally()
        self.patients = Patients()
        self.concepts = Concepts(in_force.terms)
        self.observations = Observations(in_force, self.concepts)
        self.medications = Medications(in_force, self.concepts)
        self.procedures = Procedures(in_force, self.concepts)
        self.diagnoses = Diagnoses(in_force, self.concepts)

    def take(self, portion: Portion, elsewhere: MedicationsElsewhere) -> None:
        self.types.update(one.type for one in portion.placed)
        for one in portion.placed:
            if one.type == _OUTCOME:
                self._count_outcome(one, portion.file)
        batch = Batch(portion, elsewhere, self.patients)
        for part in (self.observations, self.medications, self.procedures, self.diagnoses):
            part.take(batch)
        for broken in batch.pool.broken.values():
            resource_type = header_of(next(iter(broken.raws))).resource_type
            self.concepts.set_aside(Refusal(resource_type, "", broken.why), batch.seen(broken.reference, None))

    @property
    def uncounted(self) -> int:
        """The resources whose names came after the most that are told apart."""
        o, m, p, d = self.observations, self.medications, self.procedures, self.diagnoses
        tables: tuple[Tallies[Any], ...] = (
            o.devices, o.findings, m.doubtful, m.around, m.others, m.routes, p.devices, p.around, p.doubtful, p.others,
            self.concepts.refusals, self.concepts.passed_over, *(concept.by_name for _, concept in self.concepts),
        )  # fmt: skip
        codes = (o.unknown, d.unknown, d.unknown_orders)
        beyond = sum(codes_.others.tally.count for codes_ in codes)
        return beyond + sum(table.others.count for table in tables)

    def _count_outcome(self, placed: Placed, file: str) -> None:
        try:
            issues = _outcome.decode(placed.raw).issue
        except BAD:
            return
        if any(issue.severity in _FAILURES for issue in issues):
            self.failures.add(Seen(None, None, file, placed.place, None))


def _say_nothing(_file: str, _resources: int) -> None: ...


def inventory(export: Export, in_force: InForce, say: Callable[[str, int], None] = _say_nothing) -> Inventory:
    """The inventory of an export. It is read twice, because a Medication may stand behind what points at it. `say` is
    told the file and the number of resources so far."""
    elsewhere = MedicationsElsewhere()
    for portion in export.portions(Unread()):
        elsewhere.add_all(portion.placed)
        say(portion.file, 0)
    found = Inventory(in_force)
    for portion in export.portions(found.unread):
        found.take(portion, elsewhere)
        say(portion.file, found.types.total())
    return found
