"""`run_app` as a process of its own: signals, exits, and what it prints."""

import signal
import socket
import subprocess
import sys
import textwrap
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

import pytest
from tests.support.raw_http import request, response

from sansio_web.testing._peer import until

PRELUDE = """
import sys
from sansio_web import web

async def life(app):
    print("entered", flush=True)
    yield
    print("left", flush=True)

async def hello(request):
    return web.Response(text="hello")

async def slow(request):
    print("slow", flush=True)
    await request.read()
    return web.Response(text="slow")

async def leave(request):
    raise web.GracefulExit

app = web.Application()
app.cleanup_ctx.append(life)
app.router.add_get("/", hello)
app.router.add_post("/slow", slow)
app.router.add_get("/leave", leave)
runtime = sys.argv[1]
"""

RUN = "web.run_app(app, runtime=runtime, host='127.0.0.1', port=0, access_log=None)"


@contextmanager
def process(runtime: str, code: str) -> Iterator["subprocess.Popen[str]"]:
    """A server process; killed at the end if it still lives."""
    program = PRELUDE + textwrap.dedent(code)
    command = [sys.executable, "-W", "error", "-c", program, runtime]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1) as child:
        try:
            yield child
        finally:
            if child.poll() is None:
                child.kill()


def url_of(child: "subprocess.Popen[str]") -> str:
    """Read up to the line that says where it listens."""
    assert child.stdout is not None
    for line in child.stdout:
        if "Running on" in line:
            return line.split(" ")[3].strip()
    raise AssertionError(child.stderr.read() if child.stderr else "")


def said(child: "subprocess.Popen[str]") -> str:
    """All that it said up to its end, with exit code 0 and nothing on stderr."""
    out, err = child.communicate(timeout=10)
    assert (err, child.returncode) == ("", 0)
    return out


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_with_code_0(runtime: str, number: signal.Signals) -> None:
    with process(runtime, RUN) as child:
        assert _answers(url_of(child))
        child.send_signal(number)
        assert said(child).endswith("left\n")


def test_a_signal_waits_for_running_handlers(runtime: str) -> None:
    with process(runtime, RUN) as child:
        parts = urlsplit(url_of(child))
        with socket.create_connection((parts.hostname, parts.port), 10) as sock:
            request(sock, "POST", "/slow", b"", "Content-Length: 3")
            assert child.stdout is not None
            assert "slow\n" in (child.stdout.readline(), child.stdout.readline())
            child.send_signal(signal.SIGTERM)
            with pytest.raises(subprocess.TimeoutExpired):
                child.wait(0.2)
            sock.sendall(b"abc")
            assert response(sock).content == b"slow"
        assert said(child).endswith("left\n")


def test_a_second_signal_ends_it_at_once(runtime: str) -> None:
    with process(runtime, RUN) as child:
        parts = urlsplit(url_of(child))
        with socket.create_connection((parts.hostname, parts.port), 10) as sock:
            request(sock, "POST", "/slow", b"", "Content-Length: 3")
            assert child.stdout is not None
            assert "slow\n" in (child.stdout.readline(), child.stdout.readline())
            child.send_signal(signal.SIGTERM)
            with pytest.raises(subprocess.TimeoutExpired):
                child.wait(0.2)
            child.send_signal(signal.SIGTERM)
            child.communicate(timeout=5)
            assert child.returncode != 0


def test_graceful_exit_in_a_handler_ends_it_with_code_0(runtime: str) -> None:
    with process(runtime, RUN) as child:
        url = url_of(child)
        with pytest.raises(OSError, match=r"closed|reset"):
            urllib.request.urlopen(url + "/leave")
        assert said(child).endswith("left\n")


def test_graceful_exit_in_start_up_ends_it_with_code_0(runtime: str) -> None:
    code = f"""
    async def leave_now(app):
        raise web.GracefulExit
    app.on_startup.append(leave_now)
    {RUN}
    """
    with process(runtime, code) as child:
        assert said(child) == "entered\nleft\n"


def test_an_error_in_start_up_is_raised_as_it_is(runtime: str) -> None:
    code = f"""
    async def fail(app):
        raise LookupError("meant")
    app.on_startup.append(fail)
    try:
        {RUN}
    except LookupError as error:
        print(repr(error))
    """
    with process(runtime, code) as child:
        assert said(child) == "entered\nleft\nLookupError('meant')\n"


def test_a_coroutine_makes_the_application_under_the_runtime(runtime: str) -> None:
    code = """
    from sansio_web.hosting import running_adapter
    async def make():
        print(running_adapter().__name__)
        return app
    web.run_app(make(), runtime=runtime, host="127.0.0.1", port=0, on_start=lambda started: started.stop())
    """
    with process(runtime, code) as child:
        out = said(child)
        family = "trio" if runtime == "trio" else "asyncio"  # uvloop is one of asyncio's loops
        assert out.startswith(f"sansio_web_{family}\nentered\n")
        assert out.endswith("left\n")


def test_every_host_of_a_list_is_served_and_printed(runtime: str) -> None:
    code = """
    texts = []
    def on_start(started):
        assert len(started.addresses) == 2
        started.stop()
    hosts = ["127.0.0.1", "127.0.0.2"]
    web.run_app(app, runtime=runtime, host=hosts, port=0, print=texts.append, on_start=on_start)
    print(texts[0])
    """
    with process(runtime, code) as child:
        out = said(child)
        assert "======== Running on http://127.0.0.1:" in out
        assert ", http://127.0.0.2:" in out


def test_nothing_is_printed_if_nothing_shall_be(runtime: str) -> None:
    code = """
    web.run_app(app, runtime=runtime, host="127.0.0.1", port=0, print=None, on_start=lambda s: s.stop())
    """
    with process(runtime, code) as child:
        assert said(child) == "entered\nleft\n"


def test_without_handle_signals_sigint_is_the_interpreters(runtime: str) -> None:
    code = """
    import signal
    before = signal.getsignal(signal.SIGTERM)
    web.run_app(
        app, runtime=runtime, host="127.0.0.1", port=0, handle_signals=False, print=None,
        on_start=lambda s: (print(signal.getsignal(signal.SIGTERM) is before), s.stop()),
    )
    """
    with process(runtime, code) as child:
        assert said(child) == "entered\nTrue\nleft\n"


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.read() == b"hello")
    except OSError:
        return False


def test_a_lack_of_file_descriptors_is_survived(runtime: str) -> None:
    """A server that cannot accept says so and goes on when it can again."""
    code = f"""
    import os, resource
    async def few(app):
        lowest = os.dup(0)
        os.close(lowest)
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (lowest + 12, hard))
    app.on_startup.append(few)
    import logging
    logging.disable(logging.CRITICAL)
    {RUN}
    """
    with process(runtime, code) as child:
        url = url_of(child)
        parts = urlsplit(url)
        with ExitStack() as stack:
            for _ in range(40):
                stack.enter_context(socket.create_connection((parts.hostname, parts.port), 5))
        assert until(lambda: _answers(url))
        child.send_signal(signal.SIGTERM)
        assert said(child).endswith("left\n")
