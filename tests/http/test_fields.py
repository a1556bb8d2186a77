import copy
import pickle

from hypothesis import given
from hypothesis import strategies as st

from sansio_web.http.fields import EMPTY_FIELDS, Fields, tokens

LINES = ((b"Host", b"a"), (b"Accept", b"x"), (b"X", b""), (b"accept", b"y, z"))
SECTION = b"Host:a\r\nAccept: \t x \t\r\nX:  \r\naccept: y, z\r\n"


def test_a_section_is_read_as_the_same_lines() -> None:
    assert Fields.from_section(SECTION) == Fields(LINES)
    assert hash(Fields.from_section(SECTION)) == hash(Fields(LINES))
    assert Fields.from_section(SECTION).items() == LINES
    assert Fields.from_section(b"") == EMPTY_FIELDS


@given(
    st.lists(
        st.tuples(
            st.from_regex(rb"[-!#$%&'*+.^_`|~0-9A-Za-z]{1,8}", fullmatch=True),
            st.from_regex(rb"([!-~\x80-\xff]([\t -~\x80-\xff]{0,8}[!-~\x80-\xff])?)?", fullmatch=True),
            st.sampled_from([b"", b" ", b"\t \t"]),
            st.sampled_from([b"", b" ", b" \t"]),
        )
    )
)
def test_any_section_gives_the_lines_it_was_made_of(lines: list[tuple[bytes, bytes, bytes, bytes]]) -> None:
    section = b"".join(name + b":" + before + value + after + b"\r\n" for name, value, before, after in lines)
    assert Fields.from_section(section).items() == tuple((name, value) for name, value, *_ in lines)


def test_a_name_is_found_in_any_case_and_several_lines_are_joined_by_commas() -> None:
    fields = Fields(LINES)
    assert fields.get(b"host") == b"a"
    assert fields.get(b"accept") == b"x, y, z"
    assert fields.get_all(b"accept") == (b"x", b"y, z")
    assert fields.get(b"x") == b""
    assert fields.get(b"y") is None
    assert fields.get_all(b"y") == ()
    assert b"accept" in fields
    assert b"y" not in fields
    assert "host" not in fields


def test_lines_keep_their_order_case_and_number() -> None:
    fields = Fields.from_section(SECTION)
    assert len(fields) == 4
    assert tuple(fields) == LINES
    assert repr(fields) == f"Fields({list(LINES)!r})"


def test_lines_in_another_case_or_order_are_another_section() -> None:
    assert Fields([(b"A", b"b")]) != Fields([(b"a", b"b")])
    assert Fields([(b"a", b"b"), (b"c", b"d")]) != Fields([(b"c", b"d"), (b"a", b"b")])
    assert Fields() != ()


def test_a_section_survives_copying_and_pickling() -> None:
    assert copy.deepcopy(Fields.from_section(SECTION)) == Fields(LINES)
    assert pickle.loads(pickle.dumps(Fields.from_section(SECTION))) == Fields(LINES)


def test_a_list_of_tokens_is_lower_case_and_without_empty_elements() -> None:
    assert tokens(b" Keep-Alive,, \tUpgrade , ") == [b"keep-alive", b"upgrade"]
    assert tokens(b"") == tokens(None) == tokens(b" ,") == []
