"""JupyterLab in a browser: a server of its own, and a page that a test can use as a learner would."""

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from course_lib.support.runtime import COURSE_ROOT

if TYPE_CHECKING:
    from playwright.sync_api import ElementHandle, Locator, Page

KEPT = COURSE_ROOT / "build" / "browser"  #: screenshots and the servers' logs, one for each process of the tests
LOG = KEPT / f"jupyterlab-{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}.log"
RUN_SECONDS, CHANGE_SECONDS = 900, 60
OUTPUT = ".jp-OutputArea-output"
IDLE = "window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"
RUN = """places => {
    const {commands, shell} = window.jupyterapp, {content} = shell.currentWidget;
    content.deselectAll();
    content.activeCellIndex = places[0];
    places.forEach(place => content.select(content.widgets[place]));
    window.finished = false;
    commands.execute('notebook:run-cell').finally(() => { window.finished = true; });
}"""
SETTINGS = {
    "@jupyterlab/notebook-extension/tracker": {"windowingMode": "none"},  # cells out of sight are there all the same
}
# What a view shows: its pictures and its text, without the handles and buttons that change by being used.
PLACE = "handle => handle.closest('.noUi-origin').style.transform"  # its aria-valuenow is rounded to one digit
SHOWN = (
    "view => [...view.querySelectorAll('img')].map(i => i.src).concat("
    "[...view.querySelectorAll('.widget-html, pre')].map(e => e.innerText)).join('|')"
)


def chromium() -> str | None:
    """Where a Chromium or Chrome is installed; None if there is none."""
    names = ("chromium", "google-chrome", "google-chrome-stable", "chromium-browser", "chrome")
    return next((found for name in names if (found := shutil.which(name))), None)


@contextmanager
def lab(course: Path) -> Iterator[str]:
    """Serve a copy of the course as ``make lab`` does until the block ends; gives the address of its first page.

    Raises:
        RuntimeError: the server did not answer within a minute.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token, private = secrets.token_hex(16), Path(tempfile.mkdtemp(prefix="jupyterlab-", dir=course.parent))
    for name, values in SETTINGS.items():
        path = private / "settings" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values), encoding="utf-8")
    options = {
        "ServerApp.ip": "127.0.0.1",
        "ServerApp.port": port,
        "ServerApp.port_retries": 0,
        "ServerApp.open_browser": False,
        "ServerApp.allow_root": True,
        "IdentityProvider.token": token,
        "LabApp.expose_app_in_browser": True,
        "LabApp.user_settings_dir": private / "settings",
        "LabApp.workspaces_dir": private / "workspaces",
    }
    KEPT.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "jupyterlab", f"--config={course / 'jupyter_lab_config.py'}"]
    command += [f"--{name}={value}" for name, value in options.items()]
    with LOG.open("w") as log:
        server = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, cwd=course)
        try:
            address = f"http://127.0.0.1:{port}"
            _wait_for(f"{address}/api", server)
            yield f"{address}/?token={token}"
        finally:
            server.terminate()
            try:
                server.wait(timeout=30)
            except subprocess.TimeoutExpired:
                server.kill()
                raise


@dataclass
class NotebookPage:
    """A notebook in a tab of the browser, and what the browser complained about."""

    page: "Page"
    name: str
    complaints: list[str]

    @classmethod
    def open(cls, page: "Page", address: str, name: str) -> "NotebookPage":
        """Open a notebook and wait until its kernel is idle."""
        complaints: list[str] = []
        page.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(address.replace("/?", f"/lab/tree/notebooks/{name}?reset&"))
        page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=60_000)
        page.wait_for_function(IDLE, timeout=60_000)
        return cls(page, name, complaints)

    def run(self, cells: Sequence[int]) -> None:
        """Run some cells, by their place in the notebook, in its order, and wait until the last one is done."""
        self.page.evaluate(RUN, list(cells))
        self.page.wait_for_function("window.finished", timeout=1000 * RUN_SECONDS)

    def stderr(self) -> list[str]:
        """What the cells wrote to stderr, and their tracebacks, which JupyterLab treats alike."""
        return self.page.locator(f'{OUTPUT}[data-mime-type="application/vnd.jupyter.stderr"]').all_inner_texts()

    def close(self) -> None:
        """End the notebook's kernel, which holds some hundred megabytes."""
        self.page.evaluate("window.jupyterapp.shell.currentWidget.sessionContext.shutdown()")

    def wordless_pictures(self) -> list[str]:
        """The pictures that have neither an ``alt`` nor a caption right under them, by the cell's first line."""
        found: list[str] = self.page.evaluate(
            """() => [...document.querySelectorAll('.jp-OutputArea-output img')].filter(image => {
                const below = image.closest('.jp-OutputArea-child').nextElementSibling;
                const caption = image.closest('.jp-RenderedImage') && below ? below.innerText : '';
                return Math.max(image.alt.length, caption.length) < 40;
            }).map(image => image.closest('.jp-Cell').querySelector('.cm-line').innerText)"""
        )
        return found

    def move_slider(self, handle: "Locator") -> float:
        """Move a slider by keyboard; gives the seconds until the view that holds it shows something else.

        Raises:
            TimeoutError: nothing changed, neither to the right nor to the left.
        """
        view = self._view_of(handle)
        for key in ("ArrowRight", "ArrowLeft"):  # the slider may stand at an end
            before, place, started = view.evaluate(SHOWN), handle.evaluate(PLACE), time.monotonic()
            handle.focus()
            handle.press(key)
            if handle.evaluate(PLACE) != place:
                self._wait_for_change(view, before)
                return time.monotonic() - started
        raise TimeoutError(f"a slider in {self.name} does not move")

    def choose(self, option: "Locator") -> None:
        """Click an option of a quiz, and wait until the view that holds it says something else.

        Raises:
            TimeoutError: nothing changed.
        """
        view = self._view_of(option)
        before = view.evaluate(SHOWN)
        option.click()
        self._wait_for_change(view, before)

    def keep(self, what: str, part: "Locator | None" = None) -> Path:
        """Keep a screenshot of the page, or of a part of it; gives the file."""
        path = KEPT / f"{Path(self.name).stem}-{what}.png"
        (part or self.page.locator(".jp-NotebookPanel:visible")).screenshot(path=path)
        return path

    def _view_of(self, part: "Locator") -> "ElementHandle":
        view = part.element_handle().evaluate_handle(f"part => part.closest('{OUTPUT}')").as_element()
        if view is None:
            raise LookupError(f"a widget in {self.name} is in no output")
        return view

    def _wait_for_change(self, view: "ElementHandle", before: str) -> None:
        limit = time.monotonic() + CHANGE_SECONDS
        while view.evaluate(SHOWN) == before:
            if time.monotonic() > limit:
                raise TimeoutError(f"a widget in {self.name} shows the same after {CHANGE_SECONDS} s")
            self.page.wait_for_timeout(20)


def _wait_for(url: str, server: "subprocess.Popen[bytes]") -> None:
    opener, limit = urllib.request.build_opener(urllib.request.ProxyHandler({})), time.monotonic() + 60
    while server.poll() is None and time.monotonic() < limit:
        try:
            opener.open(url, timeout=5).close()
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            time.sleep(0.2)
        else:
            return
    server.kill()
    raise RuntimeError(f"JupyterLab did not start. Its log is {os.path.relpath(LOG)}.")
