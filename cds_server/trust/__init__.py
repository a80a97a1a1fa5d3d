"""The clients that may call, and the EHRs at which the service is registered."""
