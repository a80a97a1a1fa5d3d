"""The quantities that are read, and the unit (UCUM) that each is kept in."""

from __future__ import annotations

from enum import Enum, unique


@unique
class Measure(Enum):
    """A quantity: its name, then its unit. The name keeps two quantities of one unit from becoming one member."""

    CYTOKINE = "cytokine", "pg/mL"
    CRP = "CRP", "mg/L"
    TEMPERATURE = "temperature", "Cel"
    PRESSURE = "pressure", "mm[Hg]"
    FLOW = "oxygen flow", "L/min"
    FIO2 = "inhaled oxygen concentration", "1"
    SATURATION = "oxygen saturation", "%"
    WEIGHT = "weight", "kg"
    COUNT = "blood count", "10*3/uL"
    ENZYME = "liver enzyme", "U/L"
    MASS = "mass", "mg"
    MASS_PER_WEIGHT = "mass for each kilogram", "mg/kg"

    @property
    def unit(self) -> str:
        return self.value[1]
