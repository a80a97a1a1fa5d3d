"""The evidence behind each card as data: what it rests on, its limits and its sources, for pages and answers."""
