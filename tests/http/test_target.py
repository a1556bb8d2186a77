import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sansio_web.errors import RemoteProtocolError
from sansio_web.http.target import check_host, check_target, split_absolute


def is_host(value: bytes) -> bool:
    try:
        check_host(value)
    except RemoteProtocolError:
        return False
    return True


def is_ipv6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return "%" not in text


@given(st.ip_addresses(v=6).flatmap(lambda ip: st.sampled_from([str(ip), ip.exploded, str(ip).upper()])))
def test_every_ipv6_address_in_brackets_is_a_host(address: str) -> None:
    assert is_host(f"[{address}]:8080".encode())


groups = st.lists(st.sampled_from(["", "0", "1", "ab", "FFFF", "12345", "g", "1.2.3.4", "1.2.3.256", "01.2.3.4"]))


@given(groups.map(":".join) | st.text("0123456789abcdefABCDEF:.", max_size=45))
def test_brackets_hold_an_ipv6_address_and_nothing_else(text: str) -> None:
    assert is_host(f"[{text}]".encode()) == is_ipv6(text)


@given(st.integers(0, 100_000))
def test_ports_are_at_most_65535(port: int) -> None:
    assert is_host(b"a:%d" % port) == is_host(b"a:000%d" % port) == (port <= 65_535)


@pytest.mark.parametrize("host", [b"", b"a", b"a.b-c_d~", b"1.2.3.4", b"a%2Fb", b"a:", b"!$&'()*+,;=", b"[v1F.a:b]"])
def test_registered_names_and_addresses_are_hosts(host: bytes) -> None:
    assert is_host(host)


@pytest.mark.parametrize(
    "host",
    [
        b":80",
        b"a b",
        b"a/",
        b"a@b",
        b"a:b",
        b"a:1:2",
        b"[::1",
        b"[]",
        b"::1",
        b"[::1]a",
        b"[v1.]",
        b"a%2",
        b"\xe4",
        b"a\n",
    ],
)
def test_other_values_are_no_hosts(host: bytes) -> None:
    assert not is_host(host)


@pytest.mark.parametrize(
    ("method", "target"),
    [
        (b"GET", b"/"),
        (b"GET", b"/a?b#c".replace(b"#", b"%23")),
        (b"OPTIONS", b"*"),
        (b"OPTIONS", b"/"),
        (b"GET", b"http://a"),
        (b"GET", b"https://[::1]:1/?x"),
        (b"GET", b"http://a?b"),
        (b"CONNECT", b"a:1"),
        (b"CONNECT", b"[::1]:443"),
    ],
)
def test_a_target_in_its_methods_form_is_taken(method: bytes, target: bytes) -> None:
    check_target(method, target)


@pytest.mark.parametrize(
    ("method", "target"),
    [
        (b"GET", b""),
        (b"GET", b"*"),
        (b"GET", b"a"),
        (b"GET", b"a:1"),
        (b"GET", b"/#"),
        (b"GET", b"/ "),
        (b"GET", b"http:/a"),
        (b"GET", b"http://"),
        (b"GET", b"http://:80/"),
        (b"GET", b"http://a#b"),
        (b"GET", b"ws://a/"),
        (b"CONNECT", b"/"),
        (b"CONNECT", b"*"),
        (b"CONNECT", b"a"),
        (b"CONNECT", b"a:"),
        (b"CONNECT", b"a:00"),
        (b"CONNECT", b":1"),
    ],
)
def test_a_target_in_another_form_is_refused(method: bytes, target: bytes) -> None:
    with pytest.raises(RemoteProtocolError, match=r"RFC 9112 3\.2"):
        check_target(method, target)


def test_absolute_form_splits_into_authority_and_origin_form() -> None:
    assert split_absolute(b"http://a:1/b?c") == (b"a:1", b"/b?c")
    assert split_absolute(b"HTTP://a") == (b"a", b"/")
    assert split_absolute(b"https://[::1]?c") == (b"[::1]", b"/?c")
    assert split_absolute(b"/a") is None
    assert split_absolute(b"a:1") is None
