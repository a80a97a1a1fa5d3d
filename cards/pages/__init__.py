"""The pages beside the cards: the decision table, and the explanation of one answer."""
