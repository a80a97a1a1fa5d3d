"""FHIR R4 resources → clinical facts. Knows neither HTTP nor advice."""
