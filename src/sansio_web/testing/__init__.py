"""Tools for testing what is built on sansio_web, and for testing adapters."""

from .threaded import ThreadedServer

__all__ = ["ThreadedServer"]
