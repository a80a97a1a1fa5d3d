"""The clinical rules: facts in, facts out. No FHIR, no clock, no words."""
