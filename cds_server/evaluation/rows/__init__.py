"""The rows that an evaluation makes of an export, before any statistics: frozen dataclasses of plain values.

Times are aware datetimes in UTC, local days are dates in the facility's zone, durations are in hours or days as the
name says. `None` is not known. A field is a column of the CSV of its table, under the same name.
"""
