"""HTTP, storage and trust: the only package that knows Flask and requests."""

__version__ = "0.1.0"
