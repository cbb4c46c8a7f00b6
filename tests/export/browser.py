"""Headless Chromium through ChromeDriver's HTTP interface, and a server of the page."""

import base64
import contextlib
import functools
import http.server
import json
import shutil
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request

# Without these Chromium looks for its maker's servers at every start.
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1000,900",
]


def chromium():
    """Paths of the browser and its driver, None where they are not installed."""
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
    driver = shutil.which("chromedriver")
    return (browser, driver) if browser and driver else None


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


class Page:
    """One tab of a browser."""

    def __init__(self, call):
        self._call = call

    def open(self, url):
        self._call("url", {"url": url})

    def run(self, script, *arguments):
        return self._call("execute/sync", {"script": script, "args": list(arguments)})

    def wait(self, condition, seconds=60):
        """Until a JavaScript expression is true."""
        end = time.monotonic() + seconds
        while not self.run(f"return Boolean({condition})"):
            assert time.monotonic() < end, (
                f"{condition}: {self.run('return document.body.innerText')}"
            )
            time.sleep(0.05)

    def screenshot(self, path):
        path.write_bytes(base64.b64decode(self._call("screenshot")))


@contextlib.contextmanager
def opened(profile):
    """A page in a fresh browser with the user profile folder `profile`."""
    browser, driver = chromium()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [driver, f"--port={port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _until_ready(port)
        options = {"binary": browser, "args": [*FLAGS, f"--user-data-dir={profile}"]}
        wanted = {"capabilities": {"alwaysMatch": {"goog:chromeOptions": options}}}
        session = _request(port, "session", wanted)["sessionId"]
        try:
            yield Page(lambda path, body=None: _request(port, f"session/{session}/{path}", body))
        finally:
            _request(port, f"session/{session}", method="DELETE")
    finally:
        process.terminate()
        process.wait(timeout=20)


def _until_ready(port):
    for _ in range(200):
        with contextlib.suppress(urllib.error.URLError):
            if _request(port, "status")["ready"]:
                return
        time.sleep(0.05)
    raise TimeoutError("ChromeDriver does not answer")


def _request(port, path, body=None, method=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}/{path}", data=data, method=method)
    with urllib.request.urlopen(request, timeout=120) as response:
        return json.load(response)["value"]
