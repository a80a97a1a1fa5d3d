"""The report: one page that opens from a file, and the CSVs of its tables beside it."""
