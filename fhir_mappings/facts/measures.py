"""The quantities that are read, and the unit (UCUM) that each is kept in."""

from __future__ import annotations

from enum import Enum, unique


@unique
class Measure(Enum):
    """A quantity: its name, then its unit. The name keeps two quantities of one unit from becoming one member."""

    CYTOKINE = "cytokine", "pg/mL"
    CRP = "CRP", "mg/L"
    FERRITIN = "ferritin", "ug/L"
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
    MASS_RATE = "mass for each hour", "mg/h"
    MASS_PER_WEIGHT_RATE = "mass for each kilogram and hour", "mg/kg/h"
    VOLUME = "volume", "mL"
    VOLUME_RATE = "volume for each hour", "mL/h"
    TIME = "time", "h"
    ITEM = "number of dose forms", "1"
    SCORE = "score", "1"

    @property
    def unit(self) -> str:
        return self.value[1]
