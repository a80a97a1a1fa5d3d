"""FHIR JSON as it came: structs, times, units, whose it is and whether it is valid."""
