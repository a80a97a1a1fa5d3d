"""Infusions of CAR-T cells as procedures, and the zone that is written on an infusion."""
