"""The settings of the service: environment variables, read once at the start."""
