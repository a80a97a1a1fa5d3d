"""CDS Hooks: discovery, a call and its answer, feedback."""
