"""The decisions: the cards that a patient gets, and those that are shown."""
