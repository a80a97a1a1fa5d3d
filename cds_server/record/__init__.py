"""A patient's record: prefetch first, the FHIR server for the rest."""
