import pytest

from sansio_web.errors import LocalProtocolError
from sansio_web.http.framing import CHUNKED, NO_CONTENT, UNTIL_CLOSE, Framing, Length
from sansio_web.http.outgoing import Outgoing, WriteProgress, least


def started(framing: Framing, *, suppressed: bool = False) -> Outgoing:
    outgoing = Outgoing()
    outgoing.start(framing, suppressed=suppressed)
    return outgoing


def test_a_length_is_counted_down_and_must_be_met_exactly() -> None:
    outgoing = started(Length(5))
    outgoing.sent(3)
    with pytest.raises(LocalProtocolError, match=r"5 declared, 6 sent"):
        outgoing.sent(3)
    with pytest.raises(LocalProtocolError, match=r"5 declared, 3 sent"):
        outgoing.check_complete()
    outgoing.sent(2)
    outgoing.check_complete()


def test_no_content_means_none() -> None:
    outgoing = started(NO_CONTENT)
    outgoing.sent(0)
    with pytest.raises(LocalProtocolError, match="has no content, but 1 bytes"):
        outgoing.sent(1)
    outgoing.check_complete()


@pytest.mark.parametrize("framing", [CHUNKED, UNTIL_CLOSE])
def test_other_framings_take_any_amount(framing: Framing) -> None:
    outgoing = started(framing)
    outgoing.sent(10**12)
    outgoing.check_complete()


@pytest.mark.parametrize("framing", [NO_CONTENT, CHUNKED, UNTIL_CLOSE, Length(3)])
def test_what_is_suppressed_is_not_counted(framing: Framing) -> None:
    outgoing = started(framing, suppressed=True)
    outgoing.sent(10)
    outgoing.check_complete()
    assert not outgoing.ends_with_connection


def test_only_one_framing_ends_with_the_connection() -> None:
    assert [started(f).ends_with_connection for f in (NO_CONTENT, Length(1), CHUNKED, UNTIL_CLOSE)] == [False] * 3 + [
        True
    ]


def test_progress_is_what_left_since_the_last_time() -> None:
    progress = WriteProgress()
    progress.transmitted = 100
    progress.report(80)
    assert not progress.progressed(10)
    progress.report(70)
    assert progress.progressed(10)
    assert not progress.progressed(10)
    progress.transmitted = 200
    progress.report(161)
    assert not progress.progressed(10)  # 39 left in all, 30 before
    progress.report(0)
    assert progress.progressed(10)


def test_bytes_held_back_again_begin_a_new_account() -> None:
    progress = WriteProgress()
    progress.transmitted = 1000
    progress.report(500)
    progress.report(0)
    progress.transmitted = 2000
    progress.report(400)
    assert not progress.progressed(1)


def test_a_minimum_is_at_least_one_byte() -> None:
    assert (least(0), least(1), least(1024)) == (1, 1, 1024)
