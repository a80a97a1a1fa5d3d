"""The program `crs-cds`. Bad input ends with exit code 2 and a sentence that names file, entry and field."""
