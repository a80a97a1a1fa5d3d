"""Calls that the service makes: FHIR servers, token endpoints, key sets."""
