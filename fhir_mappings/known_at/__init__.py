"""The record as it was known at a moment: what was not yet there is absent, and what ended later was in progress."""
