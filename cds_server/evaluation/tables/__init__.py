"""The tables of the report. A figure on the page and the CSV beside it are made of one and the same table."""
