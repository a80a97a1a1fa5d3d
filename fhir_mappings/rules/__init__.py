"""The clinical rules: facts in, facts out. They know no FHIR, read no clock and hold no words."""
