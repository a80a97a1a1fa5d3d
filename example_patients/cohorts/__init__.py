"""Constructed cohorts of known truth, written as an export: what an evaluation must find is known beforehand.

No patient in them exists. Each resource carries the tag HTEST (test health data), and the protocol beside the files
says so on every report that is made with it.
"""
