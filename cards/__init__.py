"""The mapping from clinical facts to advice, in words and orders. Of the mapping it sees only facts and terminology."""
