"""JupyterLab before anybody runs a cell: what it asks, which notebooks count as changed, and where links lead."""

import posixpath
import re
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
import pytest

from course_lib.authoring.notebook_form import LINK, course_notebooks
from tests.browser.lab import IDLE, lab

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.xdist_group("untouched")  # so that one process alone opens all notebooks

NAMES = [path.name for path in course_notebooks()]
ANNOUNCEMENTS = "@jupyterlab/apputils-extension:announcements"

OPEN = """async path => {
    const opened = await window.jupyterapp.commands.execute('docmanager:open', {path});
    await Promise.all([opened.context.ready, opened.sessionContext.ready]);
    const kernel = opened.sessionContext.session.kernel;
    await Promise.all([kernel.info, kernel.spec]);  // JupyterLab writes both into the notebook
}"""
FIND = "const {shell} = window.jupyterapp, found = [...shell.widgets('main')].find(one => one.context?.path === path);"
CHANGED = f"path => {{ {FIND} return found.model.dirty; }}"
SAVE = f"async path => {{ {FIND} await found.context.save(); }}"
LINKS = f"""path => {{ {FIND}
    const links = [...found.node.querySelectorAll('.jp-Notebook a[href]:not(.jp-InternalAnchorLink)')];
    return links.map(link => link.getAttribute('href'));
}}"""
# Clicks a link, and waits until its target is in front and the heading that it names is in sight. What JupyterLab
# opens anew it shows at its beginning, so the link is clicked a second time. Gives what is wrong.
FOLLOW = f"""async ([path, href, target, anchor]) => {{ {FIND}
    const inSight = (node, frame) => node.checkVisibility() && node.getBoundingClientRect().top < frame.bottom
        && node.getBoundingClientRect().bottom > frame.top;
    const arrived = () => {{
        const now = shell.currentWidget;
        if (now.context?.path !== target || !now.context.isReady) return `${{now.context?.path}} is in front`;
        const named = [...now.node.querySelectorAll('[data-jupyter-id]')];
        const headings = named.filter(heading => heading.dataset.jupyterId === anchor);
        const there = !anchor || headings.some(h => inSight(h, now.node.getBoundingClientRect()));
        return there ? '' : `${{headings.length}} headings ${{anchor}}, none in sight`;
    }};
    const link = [...found.node.querySelectorAll('.jp-Notebook a[href]')].find(a => a.getAttribute('href') === href);
    let wrong;
    for (let click = 0; click < 2; click++) {{
        if (path === target) shell.activateById(found.id);
        link.click();  // hidden behind its target for the most part, which costs less than to come back each time
        for (let times = 0; times < 100; times++) {{
            await new Promise(resolve => setTimeout(resolve, 20));
            const refusal = document.querySelector('.jp-Dialog');
            if (refusal) {{ const words = refusal.innerText; refusal.remove(); return words; }}
            if (!(wrong = arrived())) return '';
        }}
    }}
    return wrong;
}}"""


@pytest.fixture(scope="module")
def desk(browser: "Browser", address: str) -> Iterator["Page"]:
    """A page with all notebooks open, none of them run."""
    with browser.new_context(viewport={"width": 1280, "height": 1000}) as context:
        page = context.new_page()
        page.goto(address.replace("/?", "/lab?reset&"))
        page.wait_for_function("window.jupyterapp?.restored.then(() => true)", timeout=60_000)
        for name in NAMES:
            page.evaluate(OPEN, f"notebooks/{name}")
        yield page
        page.evaluate("window.jupyterapp.serviceManager.sessions.shutdownAll()")


def test_a_learner_meets_the_first_notebook_and_no_question(page: "Page", course: Path) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    with lab(course) as address:  # one of its own: a learner has nothing open yet, as other tests may have
        page.goto(address)
        page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=60_000)
        page.wait_for_function(IDLE, timeout=60_000)  # all has started that starts by itself
        assert page.url.endswith("/lab/tree/notebooks/00_start_here.ipynb")
        assert page.evaluate(f"window.jupyterapp.isPluginActivated('{ANNOUNCEMENTS}')") is False
        page.wait_for_timeout(1000)
        assert page.locator(".jp-Dialog, .jp-toastContainer *").all_inner_texts() == []
        own = address.partition("?")[0]
        assert [url for url in asked if not url.startswith((own, "data:", "blob:"))] == []
        assert [url for url in asked if re.search("/api/(news|update)", url)] == []
        page.evaluate("window.jupyterapp.serviceManager.sessions.shutdownAll()")


def test_a_notebook_is_not_changed_by_being_opened_or_saved(desk: "Page", notebooks: Path) -> None:
    paths = [f"notebooks/{name}" for name in NAMES]
    assert [path for path in paths if desk.evaluate(CHANGED, path)] == []
    before = [(notebooks / name).read_bytes() for name in NAMES]
    for path in paths:
        desk.evaluate(SAVE, path)
    after = [(notebooks / name).read_bytes() for name in NAMES]
    assert [name for name, was, now in zip(NAMES, before, after, strict=True) if was != now] == []


@pytest.mark.parametrize("name", NAMES)
def test_every_link_opens_what_it_names(desk: "Page", address: str, name: str) -> None:
    """Links to the web are checked for their form alone."""
    local, wrong = {}, []
    for href in sorted(set(desk.evaluate(LINKS, f"notebooks/{name}"))):
        target = _path_and_anchor(href, address.partition("?")[0], name)
        if target is not None:
            local[target] = href
        elif not re.fullmatch(r"https://[\w.-]+\.[a-z]+/\S+", href):
            wrong.append(f"{href} is no address")
    assert set(local) == _written(name)
    for (path, anchor), href in local.items():
        if problem := desk.evaluate(FOLLOW, [f"notebooks/{name}", href, path, anchor]):
            wrong.append(f"{path}#{anchor}: {problem}")
    assert wrong == []


def _written(name: str) -> set[tuple[str, str]]:
    """The files, from the course's root, and the anchors that a notebook's text links to."""
    notebook = nbformat.read(next(path for path in course_notebooks() if path.name == name), as_version=4)
    text = "\n\n".join(cell["source"] for cell in notebook["cells"] if cell["cell_type"] == "markdown")
    targets = [target for _, target in LINK.findall(text) if not re.match(r"https?:|mailto:", target)]
    parts = [target.partition("#") for target in targets]
    return {(posixpath.normpath(f"notebooks/{path or name}"), anchor) for path, _, anchor in parts}


def _path_and_anchor(href: str, server: str, name: str) -> tuple[str, str] | None:
    """The same of a link as JupyterLab made it; None if it leads elsewhere."""
    address = urllib.parse.urlsplit(href)
    anchor = urllib.parse.unquote(address.fragment)
    if href.startswith(f"{server}files/"):
        return urllib.parse.unquote(address.path).removeprefix("/files/"), anchor
    return (f"notebooks/{name}", anchor) if href.startswith("#") else None
