"""The start of a worker, after which its first call costs what the next ones do."""

from __future__ import annotations

import gc

from fhir_mappings.reading.validation import build_models


def warm_start() -> None:
    """Build the models of FHIR, and take what start-up made out of the garbage collector's sight.

    Libraries, models and value sets stay as long as the process; a full collection that walks over them costs a
    call several times its own work, and there is one for every few calls.
    """
    build_models()
    gc.collect()
    gc.freeze()
