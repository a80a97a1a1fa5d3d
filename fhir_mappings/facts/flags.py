"""Marks on facts that rules and cards ask about besides the value. Their values go out in the assessment."""

from __future__ import annotations

from enum import StrEnum


class Flag(StrEnum):
    TIMEZONE_ASSUMED = "timezone_assumed"
    INFUSION_TIME_UNKNOWN = "infusion_time_unknown"
    SECOND_INFUSION = "second_infusion"
    AGE_UNKNOWN = "age_unknown"
    HISTORY_INCOMPLETE = "history_incomplete"
    LATE_AFTER_WAIVER = "late_after_waiver"
    PRESSOR_STALE = "pressor_stale"
    PRESSORS_STALE_TOGETHER = "pressors_stale_together"
    PRESSOR_ON_HOLD = "pressor_on_hold"
    PRESSOR_ORDERED_NOT_CHARTED = "pressor_ordered_not_charted"
    OPEN_SINCE = "open_since"
    HOME_DEVICE = "home_device"
    OXYGEN_STALE = "oxygen_stale"
    OXYGEN_UNREAD = "oxygen_unread"
    FLOW_UNKNOWN = "flow_unknown"
    VENTILATED = "ventilated"
    VENTILATED_LOW_FIO2 = "ventilated_low_fio2"
    ICANS_CODED = "icans_coded"
