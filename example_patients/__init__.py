"""Made-up patients whose stories the demo plays and the tests check."""
