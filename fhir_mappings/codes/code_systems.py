"""Code systems: one address for each, every other way to write it, and what its codes look like."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
ATC = "http://www.whocc.no/atc"
CPT = "http://www.ama-assn.org/go/cpt"
ICD_10_PCS = "http://www.cms.gov/Medicare/Coding/ICD10"
ICD_10_CM = "http://hl7.org/fhir/sid/icd-10-cm"
OPS = "http://fhir.de/CodeSystem/bfarm/ops"
CCAM = "https://smt.esante.gouv.fr/terminologie-ccam"
LOCAL = "urn:crs-cds:local"
# codes of these say that nothing was said: masked, unknown, asked and not answered
NO_CODES = frozenset(
    {
        "http://terminology.hl7.org/codesystem/data-absent-reason",
        "http://terminology.hl7.org/codesystem/v3-nullflavor",
        "http://hl7.org/fhir/data-absent-reason",
        "http://hl7.org/fhir/v3/nullflavor",
    }
)

# Addresses without scheme, "www.", slash at the end and capitals, and OIDs without "urn:oid:"; of HL7's list of
# external code systems and of the guides named beside them.
ALIASES: Mapping[str, tuple[str, ...]] = {
    LOINC: ("loinc.org", "2.16.840.1.113883.6.1", "ln"),  # LN in table 0396 of HL7 v2: interface engines pass it on
    SNOMED: ("snomed.info/sct", "2.16.840.1.113883.6.96", "snomed.info/id"),
    RXNORM: ("nlm.nih.gov/research/umls/rxnorm", "2.16.840.1.113883.6.88"),  # Epic writes the OID
    ATC: (
        "whocc.no/atc",
        "whocc.no/atc_ddd_index",
        "2.16.840.1.113883.6.73",
        "fhir.de/codesystem/bfarm/atc",  # MII, ISiK, Basisprofil DE
        "fhir.de/codesystem/dimdi/atc",  # Basisprofil DE before 2022
        "2.16.578.1.12.4.1.1.7180",  # Norway: FEST, Volven
        "1.2.752.129.2.2.3.1.1",  # Sweden: Inera
        "1.2.246.537.6.32",  # Finland: Kanta
        "1.2.246.537.6.32.2007",
    ),
    # a CPT code under HCPCS's address is one of CPT: HCPCS holds CPT as its level I
    CPT: (
        "ama-assn.org/go/cpt",
        "2.16.840.1.113883.6.12",
        "terminology.hl7.org/codesystem/cpt",
        "cms.gov/medicare/coding/hcpcsreleasecodesets",
        "terminology.hl7.org/codesystem/hcpcs-all-codes",
        "2.16.840.1.113883.6.285",
        "2.16.840.1.113883.6.14",
    ),
    ICD_10_PCS: (
        "cms.gov/medicare/coding/icd10",
        "2.16.840.1.113883.6.4",
        "hl7.org/fhir/sid/icd-10-pcs",
        "terminology.hl7.org/codesystem/icd10pcs",
        "icd10data.com/icd10pcs",  # US Core before 3.1
    ),
    ICD_10_CM: (
        "hl7.org/fhir/sid/icd-10-cm",
        "2.16.840.1.113883.6.90",
        "terminology.hl7.org/codesystem/icd10cm",
        "icd10data.com/icd10cm",
    ),
    OPS: ("fhir.de/codesystem/bfarm/ops", "fhir.de/codesystem/dimdi/ops"),  # MII, ISiK, Basisprofil DE
    CCAM: ("smt.esante.gouv.fr/terminologie-ccam", "1.2.250.1.215.300.1"),  # ANS
}
_SYSTEM_OF = {alias: system for system, aliases in ALIASES.items() for alias in aliases}

# what a code of a system looks like: anything else under it is a mistake of a mapping and names nothing
FORMS = {
    LOINC: re.compile(r"\d{1,8}-\d|L[A-Z]\d+-\d"),
    SNOMED: re.compile(r"\d{6,18}"),
    RXNORM: re.compile(r"\d{1,8}"),
    ATC: re.compile(r"[A-Z]\d\d[A-Z]{0,2}(?:\d\d)?"),
    CPT: re.compile(r"[0-9A-Z]\d{3}[0-9A-Z]"),
    ICD_10_PCS: re.compile(r"[0-9A-Z]{3,7}"),
    ICD_10_CM: re.compile(r"[A-Z]\d[0-9A-Z](?:\.[0-9A-Z]{1,4})?"),
}
_IS_ADDRESS = re.compile(r"[A-Za-z][\w+.-]*:\S+")  # an absolute URI


@lru_cache(maxsize=1024)
def canonical_system(system: str) -> str:
    """The one address of a code system that is known under this one; any other system as it is.

    `http` or `https`, with or without `www.`, a slash at the end, `|version`, an OID with or without `urn:oid:`,
    capitals, and SNOMED's addresses of editions and versions all name the same.
    """
    plain = system.strip().partition("|")[0].rstrip("/").lower()
    plain = plain.partition("://")[2] or plain
    plain = plain.removeprefix("urn:oid:").removeprefix("www.")
    if plain.startswith("snomed.info/sct/"):
        return SNOMED
    return _SYSTEM_OF.get(plain, system)


def says_nothing(system: str | None) -> bool:
    """Tell whether codes of this system say why something is missing, and not what it is."""
    return (system or "").strip().partition("|")[0].rstrip("/").lower() in NO_CODES


def is_address(system: str) -> bool:
    return _IS_ADDRESS.fullmatch(system) is not None
