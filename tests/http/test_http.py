"""The names of the package, and the example in its docstring."""

import doctest
import subprocess
import sys

import pytest

import sansio_web.http as http
from sansio_web.http.client_role import ClientRole
from sansio_web.http.server_role import ServerRole


def test_the_example_is_true() -> None:
    result = doctest.testmod(http)
    assert (result.failed, result.attempted > 5) == (0, True)


def test_every_public_name_is_there() -> None:
    assert http.__all__ == sorted(http.__all__)
    assert all(hasattr(http, name) for name in http.__all__)
    assert (http.ClientRole, http.ServerRole) == (ClientRole, ServerRole)


def test_an_unknown_name_is_an_error_that_names_it() -> None:
    with pytest.raises(AttributeError, match=r"module 'sansio_web\.http' has no attribute 'Server'"):
        _ = http.Server


def test_the_nouns_do_not_import_the_readers() -> None:
    code = "import sys, sansio_web.http; print(sorted({'h11', 'sansio_web.http.connection'} & set(sys.modules)))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"
