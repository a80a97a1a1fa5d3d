"""Corticosteroids: the amounts given, the regimen asked for, and what of it is in hand."""
