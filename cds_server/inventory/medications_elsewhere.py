"""The Medications and Substances of an export, kept by reference until a resource points at them."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from cds_server.exports.documents import BAD, Placed
from fhir_mappings.reading.resources import Json, header_of, instant_of

TYPES = ("Medication", "Substance")
_READ = ("code", "ingredient", "contained")
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])


class Medications:
    """Medications by reference, with the fields that are read. Alike ones share their bytes, so an export with one
    Medication for each administration takes little more than their ids."""

    def __init__(self, placed: Iterable[Placed] = ()) -> None:
        self._found: dict[str, tuple[bytes, str | None]] = {}
        self._bodies: dict[bytes, bytes] = {}
        self.add_all(placed)

    def add_all(self, placed: Iterable[Placed]) -> None:
        for one in placed:
            if one.type in TYPES:
                self.add(one.raw)

    def add(self, raw: Json) -> None:
        """Keep the later of two versions; of two that differ and state no time, neither can be trusted."""
        header = header_of(raw)
        if not header.id:
            return
        reference, updated = f"{header.resource_type}/{header.id}", header.meta.last_updated if header.meta else None
        body = _body(raw)
        known = self._found.get(reference)
        if known is not None and known[0] != body:
            was, now = instant_of(known[1]), instant_of(updated)
            if was == now:
                body = b""
            elif was > now:
                return
        self._found[reference] = (self._bodies.setdefault(body, body), updated)

    def get(self, reference: str) -> bytes | None:
        """A Medication or Substance as JSON, named by `Type/id`."""
        body, _ = self._found.get(reference, (b"", None))
        if not body:
            return None
        resource_type, _, resource_id = reference.partition("/")
        return b'{"resourceType":"%s","id":%s%s}' % (resource_type.encode(), msgspec.json.encode(resource_id), body)


def _body(raw: Json) -> bytes:
    """The fields that are read, as they go behind others; b"" where the bytes cannot be taken apart."""
    try:
        fields = _fields.decode(raw)
    except BAD:
        return b""
    return b"".join(b',"%s":%s' % (name.encode(), bytes(fields[name])) for name in _READ if name in fields) or b',"x":0'
