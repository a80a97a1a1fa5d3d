"""The start of a worker, after which its first call costs no more than the next ones."""

from __future__ import annotations

import gc

from sqlalchemy.orm import configure_mappers

from fhir_mappings.codes.devices.device_vocabulary import device_words
from fhir_mappings.codes.terminology import Terminology
from fhir_mappings.medications.anti_infective_names import anti_infectives
from fhir_mappings.reading.unit_table import build_tables
from fhir_mappings.reading.validation import build_models

_A_TEXT = "ondansetron"  # any text makes the lists of words that each text of a drug is held against


def warm_start(terms: Terminology) -> None:
    """Build the FHIR models, the tables of units and of the decision log, and the words of the value sets in force, and
    hide from the garbage collector what start-up made.

    Libraries, models and value sets stay as long as the process. A full collection that walks over them costs a call
    several times its own work, and there is one for every few calls.
    """
    build_models()
    build_tables()
    device_words(terms)
    anti_infectives(terms)
    terms.read(_A_TEXT)
    configure_mappers()
    gc.collect()
    gc.freeze()
