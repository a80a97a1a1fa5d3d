"""The orders being written, together with those that are active and not yet charted."""

from __future__ import annotations

from datetime import datetime

from fhir_mappings.facts.patient import PatientFacts
from fhir_mappings.facts.treatment import DraftOrder, DrugClass, PendingOrder


def drafted(drafts: tuple[DraftOrder, ...], *classes: DrugClass) -> tuple[DraftOrder, ...]:
    return tuple(d for d in drafts if d.drug is not None and d.drug.drug_class in classes)


def not_identified(draft: DraftOrder) -> bool:
    """Tell whether a draft is of a medication that nothing identifies."""
    return draft.is_medication and (draft.drug is None or draft.drug.drug_class is DrugClass.UNIDENTIFIED)


def uncharted_tocilizumab(facts: PatientFacts, drafts: tuple[DraftOrder, ...]) -> tuple[PendingOrder, ...]:
    """The active tocilizumab orders that are not yet charted and that no draft replaces."""
    ours = drafted(drafts, DrugClass.TOCILIZUMAB)
    replaced = {d.replaces for d in ours} | {d.reference for d in ours}
    return tuple(
        o
        for o in facts.pending
        if o.drug is not None and o.drug.drug_class is DrugClass.TOCILIZUMAB and o.reference not in replaced
    )


def counted_starts(facts: PatientFacts, drafts: tuple[DraftOrder, ...]) -> tuple[datetime, ...]:
    """The dose starts that a tocilizumab draft is checked against.

    They are those of every dose that may have been given. Each order not yet charted, however old, and each draft
    beside the first counts as given now.
    """
    beside = len(uncharted_tocilizumab(facts, drafts)) + len(drafted(drafts, DrugClass.TOCILIZUMAB)[1:])
    return (*facts.tocilizumab.safety_starts, *([facts.as_of] * beside))


def is_ordered(facts: PatientFacts, drafts: tuple[DraftOrder, ...], set_id: str) -> bool:
    """Tell whether a test, culture or image is drafted or has an active order."""
    return any(set_id in o.sets for o in facts.pending) or any(set_id in d.sets for d in drafts)
