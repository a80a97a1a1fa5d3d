"""What is read beside the cards: the decision table and the explanation of one answer."""
