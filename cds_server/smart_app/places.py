"""The places for the steps of the app: each step has its own, so that nobody who begins launches keeps a user from the
course, and one address has a small share of those that need no session."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from ipaddress import IPv6Address, ip_address

from flask import request

from cds_server.problems import Problem, ProblemId
from cds_server.running import Running, Smart

OF_ONE_ADDRESS = 2
_NETWORK_BITS = 64  # of IPv6: whoever has one address has all of its network


class Places(StrEnum):
    """The steps with places of their own."""

    LAUNCH = "launch"
    CALLBACK = "callback"
    COURSE = "course"


@contextmanager
def place(here: Running, app: Smart, step: Places) -> Iterator[None]:
    """Take a place of a step. Raises Problem `busy`."""
    address = caller_address(here.settings.proxies) if step is not Places.COURSE else None
    if not app.places[step].acquire(blocking=False):
        raise Problem(ProblemId.BUSY, [], step)
    try:
        with _share(app, step, address):
            yield
    finally:
        app.places[step].release()


@contextmanager
def _share(app: Smart, step: Places, address: str | None) -> Iterator[None]:
    if address is None:
        yield
        return
    key = (step.value, address)
    with app.lock:
        if app.taken[key] >= OF_ONE_ADDRESS:
            raise Problem(ProblemId.BUSY, [], "address")
        app.taken[key] += 1
    try:
        yield
    finally:
        with app.lock:
            app.taken[key] -= 1
            if not app.taken[key]:
                del app.taken[key]


def caller_address(proxies: int) -> str:
    """The address that a request came from, by so many proxies that add to X-Forwarded-For; an IPv6 network for its
    addresses."""
    said = [part.strip() for part in ",".join(request.headers.getlist("X-Forwarded-For")).split(",")]
    text = said[-proxies] if 0 < proxies <= len(said) else request.remote_addr or ""
    try:
        address = ip_address(text)
    except ValueError:
        return text[:64]
    if isinstance(address, IPv6Address) and address.ipv4_mapped is None:
        return str(int(address) >> _NETWORK_BITS)
    return str(getattr(address, "ipv4_mapped", None) or address)
