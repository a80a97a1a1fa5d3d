"""The test of an installation: call each hook for each example patient as a CDS client, and compare with the stories.

It only reads the FHIR server: nobody should write to a record by testing, so seeding is a command of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from example_patients.client.ehr import SERVICE_OF_HOOK, Ehr, Templates
from example_patients.client.http_calls import NoAnswerError
from example_patients.client.patient_forms import BY_REFERENCE, FoundTypes, found_types
from example_patients.programs.seed import HOLD, fetch_moment
from example_patients.stories.chart import ICE_CODE, ICE_SYSTEM
from example_patients.stories.stories import SCENES, Scene

INFUSED_AT = "10:00"  # on day 0 of every story, in the zone of the seeding
NO_ONE = "–"
TAKEN = ("taken",)
CLOCKS_APART = timedelta(minutes=5)


@dataclass(frozen=True)
class SelftestRow:
    """One question to the service: the cards that were wanted, and those that came or the problem in their place."""

    patient: str
    hook: str
    how: str
    wanted: tuple[str, ...]
    got: tuple[str, ...] = ()
    problem: str | None = None

    @property
    def ok(self) -> bool:
        return self.problem is None and self.got == self.wanted


def one_scene_a_card() -> tuple[Scene, ...]:
    """The first scene that shows each card, and the first without a card."""
    shown: set[str] = set()
    found: list[Scene] = []
    for _, scene in SCENES:
        cards = scene.wanted or (NO_ONE,)
        if not shown.issuperset(cards):
            found.append(scene)
        shown.update(cards)
    return tuple(found)


class Selftest:
    """One run: `rows` asks and yields the answers, `remarks` explains them. A quick one asks about one scene for each
    card, on one hook."""

    def __init__(self, ehr: Ehr, now: datetime, *, quick: bool = False) -> None:
        self._quick = quick
        self._ehr = ehr
        self._now = now
        self._rows: list[SelftestRow] = []
        self._shown: list[tuple[str, str, Mapping[str, Any]]] = []  # patient, hook and each card
        self._unfilled: set[str] = set()
        self._reads_ice = True
        self._in_shadow = 0
        self._silences: Counter[str] = Counter()
        self._types: FoundTypes | None = None
        self._rules = ""
        self._infused_at: set[str] = set()

    def rows(self) -> Iterator[SelftestRow]:
        """Discovery, every call, then feedback for two of the cards. Raises NoAnswerError naming the step."""
        for row in self._asked():
            self._rows.append(row)
            yield row

    def _asked(self) -> Iterator[SelftestRow]:
        offered = self._ehr.discovered()
        found = tuple(service for service in SERVICE_OF_HOOK.values() if service in offered)
        yield SelftestRow(NO_ONE, "discovery", "GET", tuple(SERVICE_OF_HOOK.values()), found)
        self._check_examples()
        yield from self._searches()
        # a real site need not know the example hospital's ICE code: discovery tells whether the service asks for it,
        # and so which cards are wanted
        self._reads_ice = any(f"{ICE_SYSTEM}|{ICE_CODE}" in t for service in offered.values() for t in service.values())
        for scene in one_scene_a_card() if self._quick else [scene for _, scene in SCENES]:
            yield from self._calls(scene, offered)
        yield from self._feedback()

    def _check_examples(self) -> None:
        moved_to = fetch_moment(self._ehr.fhir_base, self._ehr.to_fhir)
        if moved_to is None:
            raise NoAnswerError("looking for the examples", "they are not on the FHIR server: run crs-cds seed first")
        if not -CLOCKS_APART <= self._now - moved_to <= HOLD:
            when = f"{moved_to:%Y-%m-%d %H:%M} UTC"
            raise NoAnswerError("looking for the examples", f"they were moved to {when}: run crs-cds seed again")

    def _searches(self) -> Iterator[SelftestRow]:
        """A difference if no form of the patient finds every type that the first example has."""
        ehr = self._ehr
        self._types = found = found_types(ehr.fhir_base, SCENES[0][1].patient_id, ehr.to_fhir)
        if found.wanted is None:
            for form, types in found.by_form.items():
                yield SelftestRow(NO_ONE, "searches", form, tuple(sorted(found.all)), tuple(sorted(types)))

    def _typed_in(self, templates: Templates) -> Templates:
        """The templates as an integrator types them in at this server."""
        if self._types is None or self._types.wanted != BY_REFERENCE:
            return templates
        return {key: one.replace("patient={{", "patient=Patient/{{") for key, one in templates.items()}

    def _calls(self, scene: Scene, offered: Mapping[str, Templates]) -> Iterator[SelftestRow]:
        templates: Templates | None = None
        filled: Mapping[str, Any] = {}
        for hook in self._hooks(scene, offered):
            if offered[SERVICE_OF_HOOK[hook]] != templates:  # hooks with the same templates share one reading
                templates = offered[SERVICE_OF_HOOK[hook]]
                filled = self._ehr.prefetch(self._typed_in(templates), scene)
                self._unfilled |= set(templates) - set(filled)
            yield self._call(scene, hook, "prefetch", filled)
            yield self._call(scene, hook, "search", None)

    def _hooks(self, scene: Scene, offered: Mapping[str, Templates]) -> list[str]:
        """The hooks to ask: each that is offered, or in a quick run the first on which the scene's cards are wanted."""
        hooks = [hook for hook, service in SERVICE_OF_HOOK.items() if service in offered]
        return [hook for hook in hooks if scene.wanted_on(hook) == scene.wanted][:1] if self._quick else hooks

    def _call(self, scene: Scene, hook: str, how: str, prefetch: Mapping[str, Any] | None) -> SelftestRow:
        wanted = scene.wanted_on(hook, ice=self._reads_ice)
        # a difference even if the cards are right: the service would have read everything itself, and prefetch would
        # look sound
        if prefetch == {}:
            return SelftestRow(scene.patient_id, hook, how, wanted, problem="the FHIR server answered no template")
        answer = self._ehr.ask(scene, hook, prefetch)
        self._shown += [(scene.patient_id, hook, card) for card in answer.cards]
        self._in_shadow += answer.shadow
        if not answer.cards and answer.problem is None and not answer.shadow:
            self._silences.update(answer.assessment.get("flags", ()))
        self._rules = answer.assessment.get("thresholds", self._rules)
        if "infusion" in answer.assessment:
            self._infused_at.add(datetime.fromisoformat(answer.assessment["infusion"]["at"]).strftime("%H:%M"))
        return SelftestRow(scene.patient_id, hook, how, wanted, answer.card_ids, answer.problem)

    def _feedback(self) -> Iterator[SelftestRow]:
        """Accept one card and override another, at the end because an overridden card may stay away afterwards."""
        accepted = next((one for one in self._shown if one[2].get("suggestions")), None)
        overridden = next((one for one in self._shown if one is not accepted), None)
        for one, how, tell in (
            (accepted, "accepted", self._ehr.accept),
            (overridden, "overridden", self._ehr.override),
        ):
            if one is None:
                yield SelftestRow(NO_ONE, "feedback", how, TAKEN, problem="no card came for it")
            else:
                patient, hook, card = one
                wrong = tell(hook, card)
                yield SelftestRow(patient, "feedback", how, TAKEN, () if wrong else TAKEN, wrong)

    def remarks(self) -> Iterator[str]:
        """Explanations of a difference, or of a missing one."""
        if not self._reads_ice:
            yield "The site has no code of the example hospital's ICE score: patient 10 is wanted without ICANS."
        if self._unfilled:
            yield f"Prefetch went without {', '.join(sorted(self._unfilled))}: the FHIR server refused the template."
        if self._types is not None and self._types.wanted == BY_REFERENCE:
            yield (
                "The FHIR server matches patient=Patient/ID only: type the templates in with "
                "patient=Patient/{{context.patientId}}. The service finds this out by itself (CRS_CDS_PATIENT_SEARCH)."
            )
        if self._types is not None and self._types.wanted is None:
            yield "The FHIR server wants one form of patient for one type and another for the next: not supported."
        if all(row.ok for row in self._rows):
            return
        if self._in_shadow:
            yield f"{self._in_shadow} answers had no cards and no reasoning: the service is in shadow mode."
        other = sorted(self._infused_at - {INFUSED_AT})
        if other:
            yield (
                f"The service shows an infusion at {other[0]} that was seeded for {INFUSED_AT}: it counts days in "
                "another zone, and the baseline may lie on the day before. Seed with --timezone as CRS_CDS_TIMEZONE."
            )
        if not self._shown and self._silences:
            reasons = ", ".join(f"{reason} ({number})" for reason, number in self._silences.most_common())
            yield f"No call got a card. The service gives as the reason: {reasons}."
        if self._rules:
            yield (
                f"Rules in force: {self._rules}. With numbers, codes or card modes of the site's own, other cards may "
                "be right: those wanted here are the package's."
            )


def table(rows: Sequence[SelftestRow]) -> Iterator[str]:
    """The rows as aligned lines."""
    cells = [("patient", "hook", "how", "wanted", "got", "ok"), *map(_cells, rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for line in cells:
        yield " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()


def _cells(row: SelftestRow) -> tuple[str, ...]:
    wanted, got = (", ".join(cards) or "no card" for cards in (row.wanted, row.got))
    return row.patient, row.hook, row.how, wanted, row.problem or got, "ok" if row.ok else "NO"


def as_data(row: SelftestRow) -> dict[str, Any]:
    """The row for a program; `problem` only if there is one."""
    problem = {"problem": row.problem} if row.problem is not None else {}
    return {
        "patient": row.patient, "hook": row.hook, "how": row.how, "wanted": list(row.wanted), "got": list(row.got),
        **problem, "ok": row.ok,
    }  # fmt: skip
