"""The statistics of the report: plain functions of numbers, which know neither courses nor cards."""
