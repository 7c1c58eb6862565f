"""JupyterLab as the course wants it; `make lab`, or in this folder: jupyter lab --config=jupyter_lab_config.py."""

import os
import sys
from pathlib import Path
from typing import Any

import zmq
from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager

from course_lib.support.process import set_waiting


class Notebooks(AsyncLargeFileManager):
    """Notebooks without the version of Python, as git has them.

    JupyterLab writes the version into a notebook when its kernel starts, and the notebook would count as changed. It
    is told the version when it opens the notebook, and a saved notebook does not have it.
    """

    async def get(self, path: str, content: bool = True, *form: Any, **more: Any) -> dict[str, Any]:
        """The notebook, file or folder at a path, as JupyterLab gets it."""
        model: dict[str, Any] = await super().get(path, content, *form, **more)  # type: ignore[no-untyped-call]
        if (language := _language(model)) is not None:
            language["version"] = sys.version.split()[0]
        return model

    async def save(self, model: dict[str, Any], path: str = "") -> dict[str, Any]:
        """Write what JupyterLab sends; gives the new file without its content."""
        if (language := _language(model)) is not None:
            language.pop("version", None)
        saved: dict[str, Any] = await super().save(model, path)  # type: ignore[no-untyped-call]
        return saved


def without_news(_: object, page: dict[str, Any]) -> dict[str, Any]:
    """The settings of JupyterLab's page, such that nobody is asked about news and none are fetched."""
    page["disabledExtensions"].append("@jupyterlab/apputils-extension:announcements")
    return page


def _language(model: dict[str, Any]) -> dict[str, Any] | None:
    """What a notebook says about its language; None if this is no notebook, or one that does not say."""
    content = model.get("content") if model.get("type") == "notebook" else None
    return content["metadata"].get("language_info") if content else None


set_waiting(os.environ)  # the kernels have it from here
c = get_config()  # type: ignore[name-defined]  # noqa: F821
c.ServerApp.root_dir = str(Path(__file__).resolve().parent)  # the notebooks link to the README and to datasets/
c.LabApp.default_url = "/lab/tree/notebooks/00_start_here.ipynb"
c.ServerApp.contents_manager_class = Notebooks
c.ServerApp.tornado_settings = {"page_config_hook": without_news}
if zmq.has("curve"):
    c.MappingKernelManager.transport_encryption = "auto"  # a kernel warns of a connection in plain text
