"""The orders that a card offers, as FHIR resources."""
