"""The retrospective evaluation: a centre's own patients through the rules, as their records stood at the time."""
