"""The reading of an export for an evaluation: buckets of patients, their charts, and what the export lacks."""
