"""An aggregate report: no row of a patient, no small count, and none that could be found by subtraction."""
