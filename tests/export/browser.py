"""Headless Chromium, told what to do by its DevTools protocol, and a server of the page."""

import base64
import contextlib
import functools
import http.server
import json
import os
import select
import shutil
import subprocess
import threading
import time

# Without these Chromium looks for its maker's servers at every start. Only this machine has a name:
# a page that fetched anything from elsewhere would fail here.
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--window-size=1000,900",
]


def chromium():
    """Path of the browser, None where none is installed."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves a folder, and further files under names of their own."""

    files = None

    def translate_path(self, path):
        name = path.split("?")[0].lstrip("/")
        return str(self.files[name]) if name in self.files else super().translate_path(path)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def served(folder, files):
    handler = type("Handler", (Handler,), {"files": files})
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(handler, directory=str(folder))
    )
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class DevTools:
    """The protocol over two pipes: JSON messages, each ended by a zero byte.

    ChromeDriver and a WebSocket library would do nothing that this doesn't.
    """

    def __init__(self, commands, replies):
        self._commands, self._replies = commands, replies
        self._received, self._last = b"", 0

    def call(self, method, session=None, seconds=120, **parameters):
        """The result of a method; events that come before it are dropped."""
        self._last += 1
        message = {"id": self._last, "method": method, "params": parameters}
        if session is not None:
            message["sessionId"] = session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        end = time.monotonic() + seconds
        while (reply := self._next(end)).get("id") != self._last:
            pass
        assert "error" not in reply, f"{method}: {reply['error']}"
        return reply["result"]

    def _next(self, end):
        while b"\0" not in self._received:
            waited = max(0.0, end - time.monotonic())
            assert select.select([self._replies], [], [], waited)[0], "Chromium does not answer"
            chunk = os.read(self._replies, 2**16)
            assert chunk, "Chromium has ended"
            self._received += chunk
        message, _, self._received = self._received.partition(b"\0")
        return json.loads(message)


class Page:
    """One tab of a browser."""

    def __init__(self, tools):
        target = tools.call("Target.createTarget", url="about:blank")["targetId"]
        session = tools.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self._call = functools.partial(tools.call, session=session)

    def open(self, url):
        assert "errorText" not in self._call("Page.navigate", url=url)
        self.wait("document.readyState === 'complete'")

    def run(self, script, *arguments):
        """What a function's body returns, given `arguments`."""
        call = f"(function () {{ {script} }}).apply(null, {json.dumps(arguments)})"
        done = self._call("Runtime.evaluate", expression=call, returnByValue=True)
        assert "exceptionDetails" not in done, done["exceptionDetails"]
        return done["result"].get("value")

    def wait(self, condition, seconds=60):
        """Until a JavaScript expression is true."""
        end = time.monotonic() + seconds
        while not self.run(f"return Boolean({condition})"):
            assert time.monotonic() < end, (
                f"{condition}: {self.run('return document.body.innerText')}"
            )
            time.sleep(0.05)

    def screenshot(self, path):
        path.write_bytes(base64.b64decode(self._call("Page.captureScreenshot")["data"]))


@contextlib.contextmanager
def opened(profile):
    """A page in a fresh browser with the user profile folder `profile`."""
    its_commands, commands = os.pipe()
    replies, its_replies = os.pipe()
    # Chromium reads from descriptor 3 and writes to 4, whatever numbers they have here.
    redirected = f'exec "$@" 3<&{its_commands} 4>&{its_replies}'
    options = [*FLAGS, "--remote-debugging-pipe", f"--user-data-dir={profile}"]
    process = subprocess.Popen(
        ["bash", "-c", redirected, "bash", chromium(), *options],
        pass_fds=(its_commands, its_replies),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(its_commands)
    os.close(its_replies)
    tools = DevTools(commands, replies)
    try:
        yield Page(tools)
        tools.call("Browser.close")
    finally:
        os.close(commands)  # which ends it too
        os.close(replies)
        process.wait(timeout=20)
