"""Literal references, taken apart.

The ids of others are keys: they are compared, whatever stands in them. Only an id that is put into an address is
checked.
"""

from __future__ import annotations

import re
from typing import NamedTuple

# Epic's ids are longer than the 64 characters of FHIR, and Cerner's and others' hold what FHIR does not allow. An id of
# dots alone would change the address that is read.
_ADDRESSABLE = re.compile(r"(?!\.+\Z)[A-Za-z0-9._~-]{1,255}\Z")


class Reference(NamedTuple):
    """`{base}/{type}/{id}`; base is "" in a relative reference. A version is left out."""

    base: str
    type: str
    id: str


def parsed_reference(text: str) -> Reference | None:
    """The parts of a literal reference; None if it is none, such as a `urn:uuid:` or a `#fragment`."""
    above, _, resource_id = text.strip().partition("/_history/")[0].strip("/").rpartition("/")
    base, _, resource_type = above.rpartition("/")
    return Reference(base, resource_type, resource_id) if resource_type and resource_id else None


def is_addressable(resource_id: str) -> bool:
    """Tell whether an id can be put into an address: 1 to 255 unreserved characters, and not of dots alone."""
    return _ADDRESSABLE.match(resource_id) is not None
