"""A shared notebook: one live page, a JSON API, a SQLite file.

Start it with `make run`, or see `python -m examples.demo --help`.
"""
