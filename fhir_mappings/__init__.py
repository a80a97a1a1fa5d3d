"""The mapping from FHIR R4 resources to clinical facts. It knows neither HTTP nor advice."""
