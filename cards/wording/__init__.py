"""The sentences of the cards, and the values of a patient that fill them."""
