"""The sentences of the cards, filled with a patient's values."""
