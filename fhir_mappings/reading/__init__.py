"""FHIR JSON as it came in: structs, times, units, the owner and the validity of each resource."""
