"""The report on an inventory, as tables and as JSON, with the lines that a site can paste into its value sets."""
