"""The example patients: charts, and the scenes of each story."""
