"""The orders that cards offer, as FHIR resources."""
