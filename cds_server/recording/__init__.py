"""The records of a list of patients, read by our own searches and written as an export writes them."""
