"""The page that shows a patient's course."""
