import pytest

from sansio_web.errors import LocalProtocolError, PeerDisconnected
from sansio_web.http.content import ChunkedReader, LengthReader
from sansio_web.http.events import ContentBroken, ContentEnded, ContentReceived
from sansio_web.http.incoming import Incoming, Progress
from sansio_web.limits import Limits

LIMITS = Limits(content_timeout=10.0, min_content_bytes=100)


def of_length(length: int, limits: Limits = LIMITS) -> Incoming:
    return Incoming(LengthReader(length), limits)


def test_held_content_is_one_piece_and_counted() -> None:
    incoming = of_length(6)
    assert incoming.take() is None
    incoming.push(b"ab")
    incoming.push(b"cd")
    assert (incoming.held, incoming.received, incoming.buffered(), incoming.remaining()) == (4, 4, 4, 2)
    assert incoming.take() == ContentReceived(b"abcd")
    assert (incoming.held, incoming.take()) == (0, None)


def test_the_end_is_told_once_and_what_follows_is_unused() -> None:
    incoming = of_length(2)
    incoming.push(b"abGET")
    assert (incoming.ended, incoming.unused) == (True, b"GET")
    assert incoming.take() == ContentReceived(b"ab")
    assert incoming.take() == ContentEnded()
    with pytest.raises(LocalProtocolError, match="the content has ended"):
        incoming.take()


def test_the_first_error_is_kept_and_told_again_and_again() -> None:
    incoming = of_length(2)
    incoming.push(b"a")
    incoming.eof()
    first = incoming.error
    assert isinstance(first, PeerDisconnected)
    incoming.eof()
    incoming.fail(PeerDisconnected("later"))
    incoming.push(b"b")
    assert incoming.take() == ContentReceived(b"a")
    assert [incoming.take(), incoming.take()] == [ContentBroken(first)] * 2
    assert not incoming.ended


def test_content_just_at_the_limit_is_whole_and_one_byte_more_is_none() -> None:
    limits = Limits(max_content_bytes=3)
    incoming = Incoming(ChunkedReader(limits), limits)
    incoming.judge()
    incoming.push(b"3\r\nabc\r\n")
    assert incoming.take() == ContentReceived(b"abc")
    incoming.push(b"1\r\nd\r\n")
    told = incoming.take()  # and no empty content before it
    assert isinstance(told, ContentBroken)
    assert (told.error.status_hint, told.error.close_code_hint) == (413, 1009)


def test_discarding_counts_and_holds_nothing() -> None:
    incoming = of_length(10)
    incoming.push(b"abc")
    assert incoming.discarded == 0
    assert incoming.discard() is None
    incoming.push(b"defg")
    assert (incoming.held, incoming.discarded) == (0, 4)
    incoming.wanted = True
    assert isinstance(incoming.discard(), ContentBroken)
    assert (incoming.wanted, incoming.discarded) == (False, 4)
    incoming.push(b"hij")
    assert incoming.ended


def test_a_span_is_completed_by_its_share_and_paused_while_nobody_waits() -> None:
    progress = Progress(LIMITS)
    assert progress.left == 10.0
    assert not progress.arrived(99)
    progress.paused(4.0)
    assert progress.left == 4.0
    assert progress.arrived(1)
    assert progress.left == 10.0
    progress.paused(-1.0)
    assert progress.left == 0.0


def test_without_a_minimum_any_byte_is_progress() -> None:
    progress = Progress(Limits(min_content_bytes=0, content_timeout=None))
    assert (progress.left, progress.arrived(0), progress.arrived(1)) == (None, False, True)


def test_nothing_is_judged_before_it_is_wanted_so_that_a_route_may_raise_the_limit() -> None:
    limits = Limits(max_content_bytes=3)
    incoming = Incoming(ChunkedReader(limits), limits)
    incoming.push(b"4\r\nabcd\r\n")
    assert incoming.error is None
    incoming.limit(4)
    assert incoming.take() == ContentReceived(b"abcd")
    declared = Incoming(LengthReader(4), limits)
    declared.push(b"ab")
    declared.judge()
    assert isinstance(declared.take(), ContentBroken)
    error = declared.error
    declared.judge()
    assert declared.error is error
