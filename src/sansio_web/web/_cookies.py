"""Cookies of a response (RFC 6265 4.1): a SimpleCookie that people know, and what it cannot hold.

A SimpleCookie has one cookie for each name; two with the same name but another domain or path are kept aside.
"""

from http.cookies import Morsel, SimpleCookie
from typing import Any, Final

from ._content_type import without_controls

_EXPIRED: Final = "Thu, 01 Jan 1970 00:00:00 GMT"
_KNOWS_PARTITIONED: Final = "partitioned" in Morsel()  # Python 3.14


class ResponseCookies:
    """What the Set-Cookie lines of one response say."""

    __slots__ = ("_aside", "_partitioned", "named")

    def __init__(self) -> None:
        self.named: SimpleCookie = SimpleCookie()
        self._aside: list[Morsel[str]] = []
        self._partitioned: list[Morsel[str]] = []  # where Morsel does not know the attribute

    def set(
        self,
        name: str,
        value: str,
        *,
        expires: str | None = None,
        domain: str | None = None,
        max_age: int | str | None = None,
        path: str | None = "/",
        secure: bool | None = None,
        httponly: bool | None = None,
        samesite: str | None = None,
        partitioned: bool | None = None,
        version: str | None = None,
    ) -> None:
        """Add a cookie, or replace the one with the same name, domain and path.

        raises: http.cookies.CookieError for a name that is no token; ValueError for a control character, and
            for a semicolon in an attribute
        """
        attributes: dict[str, Any] = {
            "expires": expires,
            "domain": domain,
            "max-age": max_age,
            "path": path,
            "secure": secure,
            "httponly": httponly,
            "samesite": samesite,
            "version": version,
        }
        given: dict[str, Any] = {
            key: _checked(name, key, value)
            for key, value in attributes.items()
            if value is not None and value is not False
        }
        fresh: SimpleCookie = SimpleCookie()
        fresh[name] = without_controls(f"value of cookie {name!r}", str(value))
        morsel = fresh[name]
        morsel.update(given)
        self._make_room(morsel)
        self.named[name] = morsel
        if partitioned:
            if _KNOWS_PARTITIONED:
                morsel["partitioned"] = True
            else:
                self._partitioned.append(morsel)

    def _make_room(self, morsel: Morsel[str]) -> None:
        place = _place(morsel)
        self._aside = [kept for kept in self._aside if (kept.key, _place(kept)) != (morsel.key, place)]
        displaced = self.named.get(morsel.key)
        if displaced is not None and _place(displaced) != place:
            self._aside.append(displaced)

    def delete(
        self,
        name: str,
        *,
        domain: str | None = None,
        path: str | None = "/",
        secure: bool | None = None,
        httponly: bool | None = None,
        samesite: str | None = None,
        partitioned: bool | None = None,
    ) -> None:
        """Tell the client to forget it: an empty value that expired long ago (RFC 6265 3.1)."""
        self.set(
            name,
            "",
            expires=_EXPIRED,
            max_age="0",
            domain=domain,
            path=path,
            secure=secure,
            httponly=httponly,
            samesite=samesite,
            partitioned=partitioned,
        )

    def values(self) -> list[str]:
        """One value of Set-Cookie for each cookie."""
        return [self._value(morsel) for morsel in (*self._aside, *self.named.values())]

    def _value(self, morsel: Morsel[str]) -> str:
        value = morsel.OutputString()
        return f"{value}; Partitioned" if any(morsel is one for one in self._partitioned) else value


def _place(morsel: Morsel[str]) -> tuple[str, str]:
    return morsel["domain"], morsel["path"]


def _checked(name: str, key: str, value: object) -> object:
    if value is True:
        return True
    text = without_controls(f"{key} of cookie {name!r}", str(value))
    if ";" in text:
        raise ValueError(f"{key} of cookie {name!r} has ';' at offset {text.index(';')} (RFC 6265 4.1.1)")
    return text
