import random
from email.utils import formatdate

from sansio_web.http.dates import date_source, imf_fixdate


def test_the_example_of_rfc_9110_5_6_7() -> None:
    assert imf_fixdate(784111777) == b"Sun, 06 Nov 1994 08:49:37 GMT"


def test_every_moment_reads_as_the_standard_library_writes_it() -> None:
    source = random.Random(9110)
    moments = [0, 951782399, 951782400, 4102444799, *(source.randrange(0, 2**33) for _ in range(500))]
    for at in moments:
        assert imf_fixdate(at).decode() == formatdate(at, usegmt=True)


def test_fractions_of_a_second_are_cut() -> None:
    assert imf_fixdate(784111777.999) == imf_fixdate(784111777)


def test_within_one_second_it_is_the_same_object() -> None:
    clock = iter([0.1, 0.9, 1.0, 1.5, -1.0])
    date = date_source(lambda: next(clock))
    first, second, third, fourth, before = (date() for _ in range(5))
    assert first is second
    assert third is fourth
    assert (first, third) == (b"Thu, 01 Jan 1970 00:00:00 GMT", b"Thu, 01 Jan 1970 00:00:01 GMT")
    assert before == b"Wed, 31 Dec 1969 23:59:59 GMT"
