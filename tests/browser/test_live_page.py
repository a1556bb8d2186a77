"""The demo's page in a real browser: two tabs see each other's notes at once, and find back after a restart."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from examples.demo.app import make_app
from examples.demo.keys import HUB
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from tests.support.serving import Served, serving

AT_ONCE = 2.0  # seconds
BACK_OFF = 12.0  # seconds within which a page has found a server that was away for a moment


@dataclass(frozen=True)
class Tab:
    """One tab of the browser; whatever it is asked happens in it."""

    browser: webdriver.Chrome
    handle: str

    def close(self) -> None:
        self.browser.switch_to.window(self.handle)
        self.browser.close()

    def element(self, selector: str) -> WebElement:
        self.browser.switch_to.window(self.handle)
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def script(self, text: str) -> Any:
        self.browser.switch_to.window(self.handle)
        return self.browser.execute_script(text)

    def write(self, **fields: str) -> None:
        for name, text in fields.items():
            field = self.element(f"[name={name}]")
            field.clear()
            field.send_keys(text)

    def save(self) -> None:
        self.element("button.main").click()
        self.soon(lambda: self.message == "Saved")

    def choose(self, title: str) -> None:
        self.browser.switch_to.window(self.handle)
        self.browser.find_element(By.XPATH, f"//ul[@id='list']//button[strong='{title}']").click()
        self.soon(lambda: self.value("title") == title)

    def value(self, name: str) -> str:
        return str(self.element(f"[name={name}]").get_property("value"))

    @property
    def titles(self) -> list[str]:
        found: list[str] = self.script("return [...document.querySelectorAll('#list strong')].map(e => e.textContent)")
        return found

    @property
    def state(self) -> str:
        return self.element("#live").text

    @property
    def status(self) -> str:
        return self.element("#status").text

    @property
    def message(self) -> str:
        return self.element("#message").text

    def soon(self, shown: Callable[[], bool], seconds: float = AT_ONCE) -> None:
        """Wait until the page shows it, which must be within `seconds`."""
        assert within(seconds, shown), f"{self.state}; {self.message!r}; {self.titles}; {self.status}"


def within(seconds: float, state: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while not (there := state()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return there


class Tabs:
    """Opens them, each marked, so that a reload would be seen."""

    def __init__(self, browser: webdriver.Chrome) -> None:
        self._browser = browser
        self._home = browser.current_window_handle
        self._open: list[Tab] = []

    def open(self, url: str) -> Tab:
        self._browser.switch_to.window(self._home)
        self._browser.switch_to.new_window("tab")
        self._browser.get(url)
        tab = Tab(self._browser, self._browser.current_window_handle)
        self._open.append(tab)
        tab.script("window.neverReloaded = true")
        tab.soon(lambda: tab.state == "live")
        tab.soon(lambda: tab.status != "")
        return tab

    def close(self) -> None:
        reloaded = [tab for tab in self._open if not tab.script("return window.neverReloaded === true")]
        for tab in self._open:
            tab.close()
        self._browser.switch_to.window(self._home)
        assert reloaded == []


@pytest.fixture
def tabs(chromium: webdriver.Chrome) -> Iterator[Tabs]:
    tabs = Tabs(chromium)
    chromium.get_log("browser")  # forgets what tabs before said when their server stopped
    yield tabs
    tabs.close()


@pytest.fixture
def served(runtime: str, tmp_path: Path) -> Iterator[Served]:
    with serving(make_app(tmp_path / "notes.sqlite3"), runtime) as served:
        yield served


@pytest.fixture
def ada(tabs: Tabs, served: Served) -> Tab:
    return tabs.open(served.url)


@pytest.fixture
def grace(tabs: Tabs, served: Served) -> Tab:
    return tabs.open(served.url)


def test_what_one_tab_writes_changes_and_deletes_the_other_shows_at_once(ada: Tab, grace: Tab) -> None:
    ada.write(title="Milk", text="two litres", author="Ada")
    ada.save()
    grace.soon(lambda: grace.titles == ["Milk"])
    assert grace.status == "1 note"

    grace.choose("Milk")
    assert grace.value("text") == "two litres"
    ada.write(title="Milk and bread")
    ada.save()
    grace.soon(lambda: grace.titles == ["Milk and bread"])
    grace.soon(lambda: grace.value("title") == "Milk and bread")  # in the form as well, where nothing is being written
    assert grace.message == "Changed by Ada: version 2"

    grace.write(title="Milk, bread and salt", author="Grace")  # and with that, over the newest version
    grace.save()
    ada.soon(lambda: ada.titles == ["Milk, bread and salt"])

    ada.element("#delete").click()
    grace.soon(lambda: grace.titles == [])
    assert grace.status == "0 notes"
    grace.soon(lambda: grace.message == "Somebody has deleted this note")
    assert grace.value("title") == ""
    assert errors(ada) == []


def errors(tab: Tab) -> list[str]:
    """What the browser found wrong: scripts that failed, what the page's policy forbade, requests refused."""
    return [entry["message"] for entry in tab.browser.get_log("browser") if entry["level"] == "SEVERE"]


def test_what_is_being_written_is_not_written_over(ada: Tab, grace: Tab) -> None:
    ada.write(title="Plan")
    ada.save()
    grace.soon(lambda: grace.titles == ["Plan"])
    grace.choose("Plan")
    grace.write(text="half a sent")

    ada.write(text="Ada's words")
    ada.save()
    grace.soon(lambda: "Somebody has changed this note" in grace.message)
    assert grace.value("text") == "half a sent"

    ada.element("#delete").click()
    grace.soon(lambda: "Save writes yours anew" in grace.message)
    assert grace.value("text") == "half a sent"
    grace.save()
    ada.soon(lambda: ada.titles == ["Plan"])


def test_many_notes_at_once_and_a_search_are_kept_up_with(ada: Tab, grace: Tab) -> None:
    grace.element("#search").send_keys("needle")
    ada.script("fetch('/api/seed?n=2000', {method: 'POST'})")
    ada.soon(lambda: ada.status == "2,000 notes")
    assert len(ada.titles) == 30
    for title in ("a needle", "hay"):
        ada.element("#new").click()
        ada.write(title=title)
        ada.save()
    grace.soon(lambda: grace.titles == ["a needle"])
    ada.soon(lambda: ada.titles[:2] == ["hay", "a needle"] and ada.status == "2,002 notes")
    assert len(ada.titles) == 30


def test_a_restart_is_shown_and_what_was_missed_is_caught_up_with(tabs: Tabs, runtime: str, tmp_path: Path) -> None:
    database = tmp_path / "notes.sqlite3"
    with serving(make_app(database), runtime) as first:
        ada, grace = tabs.open(first.url), tabs.open(first.url)
        ada.write(title="before")
        ada.save()
        grace.soon(lambda: grace.titles == ["before"])
    for tab in (ada, grace):
        tab.soon(lambda tab=tab: tab.state == "offline")  # type: ignore[misc]
        assert tab.titles == ["before"]

    again = make_app(database)
    with serving(again, runtime, host=first.host, port=first.port) as second:
        httpx.post(f"{second.url}/api/notes", json={"title": "missed"})
        assert within(BACK_OFF, lambda: len(again[HUB]) == 2)  # by themselves: nobody has turned to a tab meanwhile
        for tab in (ada, grace):
            tab.soon(lambda tab=tab: tab.state == "live")  # type: ignore[misc]
            tab.soon(lambda tab=tab: tab.titles == ["missed", "before"])  # type: ignore[misc]
        ada.element("#new").click()
        ada.write(title="after")
        ada.save()
        grace.soon(lambda: grace.titles == ["after", "missed", "before"])
