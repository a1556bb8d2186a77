"""A shared notebook: one page, a JSON API, a SQLite file.

Start it with `make run`, or see `python -m examples.demo --help`.
"""
