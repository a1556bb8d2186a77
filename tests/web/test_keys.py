"""`web.keys`: typed keys."""

import pytest

from sansio_web.web.keys import AppKey, NotAppKeyWarning, RequestKey, ResponseKey, warn_of_plain_key


@pytest.mark.parametrize("kind", [AppKey, RequestKey, ResponseKey])
def test_key_is_named_after_the_module_that_makes_it(kind: type[AppKey[int]]) -> None:
    key = kind("name", int)
    assert repr(key) == f"<{kind.__name__}({__name__}.name, type=int)>"


def test_keys_of_one_name_are_different() -> None:
    first, second = AppKey("name", int), AppKey("name", int)
    assert first != second
    assert len({first: 1, second: 2}) == 2


def test_type_is_shown_as_it_was_given() -> None:
    assert "type=dict[str, int]" in repr(AppKey("a", dict[str, int]))
    assert "type=int" in repr(AppKey[int]("a"))
    assert "type=<<Unknown>>" in repr(AppKey("a"))
    assert f"type={__name__}.Local" in repr(AppKey("a", Local))


class Local:
    pass


def test_keys_sort_before_strings() -> None:
    first, second = AppKey("a", int), AppKey("b", int)
    assert sorted([second, "a", first]) == [first, second, "a"]


def test_plain_key_is_warned_of_at_the_line_that_uses_it() -> None:
    def store(key: object) -> None:
        warn_of_plain_key(key, AppKey, 2)

    with pytest.warns(NotAppKeyWarning, match=r"key 'db' is a str; a web\.AppKey is typed") as caught:
        store("db")
    assert caught[0].filename == __file__
    store(AppKey("db", int))
