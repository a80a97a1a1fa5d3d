"""The inventory of exported data: what the service reads in them, what it sets aside, and what it does not know.

Everything is counted by distinct code, unit and text, by the mapping functions that a call uses.
"""
