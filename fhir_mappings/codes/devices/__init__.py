"""The words of oxygen devices: the vocabulary, and how a text is read by it."""
