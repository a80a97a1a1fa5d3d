"""The start of a worker, after which its first call costs no more than the next ones."""

from __future__ import annotations

import gc

from fhir_mappings.codes.devices.device_vocabulary import device_words
from fhir_mappings.codes.terminology import packaged_terminology
from fhir_mappings.reading.unit_table import build_tables
from fhir_mappings.reading.validation import build_models


def warm_start() -> None:
    """Build the FHIR models, the tables of units and the words of devices, and hide from the garbage collector what
    start-up made.

    Libraries, models and value sets stay as long as the process. A full collection that walks over them costs a call
    several times its own work, and there is one for every few calls.
    """
    build_models()
    build_tables()
    device_words(packaged_terminology())
    gc.collect()
    gc.freeze()
