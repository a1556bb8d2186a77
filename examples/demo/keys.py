"""Under which keys the application and its requests keep what handlers need."""

from pathlib import Path

from sansio_web import web

from .hub import Hub
from .store import Store

DATABASE = web.AppKey("DATABASE", Path)  # the file
HUB = web.AppKey("HUB", Hub)  # who is told of changes
STORE = web.AppKey("STORE", Store)  # the file, opened: there while the application runs
REQUEST_ID = web.RequestKey("REQUEST_ID", str)  # in each response as X-Request-Id, and in each problem
