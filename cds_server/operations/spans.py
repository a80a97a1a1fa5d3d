"""The spans of a call (OpenTelemetry): what it did and how long that took, by names of ours and numbers alone.

Where no collector is set the spans are not kept, and only carry on the trace of the caller.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Protocol

TRACE_PARENT = "traceparent"
Fact = str | int | bool
# an id of zeros alone is none
_TRACE_PARENT = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})")


@dataclass(frozen=True)
class Trace:
    """A span that something belongs to, as `traceparent` (W3C Trace Context) names it. `tracestate` is neither read nor
    handed on: it is free text."""

    trace: int
    span: int
    sampled: bool

    def __str__(self) -> str:
        return f"00-{self.trace:032x}-{self.span:016x}-{'01' if self.sampled else '00'}"


def trace_of(header: str) -> Trace | None:
    """The span that the caller names; None if the header names none."""
    found = _TRACE_PARENT.fullmatch(header)
    return Trace(int(found[1], 16), int(found[2], 16), bool(int(found[3], 16) & 1)) if found is not None else None


class Span(Protocol):
    """Something that is under way. `trace` is what others are told of it."""

    @property
    def trace(self) -> Trace: ...

    def child(self, name: str, *, asks: bool = True) -> Span:
        """A part of this one, which asks another server or is work of our own."""
        ...

    def end(self, facts: Mapping[str, Fact], *, failed: bool = False) -> None: ...


class Spans(Protocol):
    """The beginning of the spans of calls."""

    def begin(self, name: str, caller: Trace | None) -> Span: ...


@dataclass(frozen=True)
class UnkeptSpan:
    """A span that nobody is told of, apart from those who are asked within it."""

    trace: Trace

    def child(self, name: str, *, asks: bool = True) -> UnkeptSpan:  # noqa: ARG002
        return self

    def end(self, facts: Mapping[str, Fact], *, failed: bool = False) -> None:
        """Forget the span."""


class UnkeptSpans:
    def begin(self, name: str, caller: Trace | None) -> UnkeptSpan:  # noqa: ARG002
        trace = caller.trace if caller is not None else int(secrets.token_hex(16), 16)
        return UnkeptSpan(Trace(trace, int(secrets.token_hex(8), 16), caller is not None and caller.sampled))


_present: ContextVar[Span | None] = ContextVar("span", default=None)


@contextmanager
def within(parent: Span | None, name: str, *, asks: bool = True) -> Iterator[dict[str, Fact]]:
    """Do a part of a call within a span of its own. What is put into the mapping is told of it."""
    facts: dict[str, Fact] = {}
    if parent is None:
        yield facts
        return
    span, failed = parent.child(name, asks=asks), True
    before = _present.set(span)
    try:
        yield facts
        failed = False
    finally:
        _present.reset(before)
        span.end(facts, failed=failed)


@contextmanager
def phase(call: Span | None, name: str) -> Iterator[Span | None]:
    """Do a phase of a call within a span of its own. What it asks of others can be a child of the span given."""
    with within(call, name, asks=False):
        yield _present.get()


def trace_headers() -> dict[str, str]:
    """The header by which what is asked now belongs to the present span."""
    span = _present.get()
    return {TRACE_PARENT: str(span.trace)} if span is not None else {}
