"""Exported FHIR data: the files, their lines and entries, and the resources in them. One bad place costs that place."""
