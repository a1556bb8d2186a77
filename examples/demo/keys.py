"""Under which keys the application and its requests keep what handlers need."""

from pathlib import Path

from sansio_web import web

from .store import Store

DATABASE = web.AppKey("DATABASE", Path)  # the file
STORE = web.AppKey("STORE", Store)  # the file, opened: there while the application runs
REQUEST_ID = web.RequestKey("REQUEST_ID", str)  # in each response as X-Request-Id, and in each problem
