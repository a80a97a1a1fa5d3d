"""A CDS Hooks client: the calls of an EHR, and the FHIR reads that prefetch needs."""
