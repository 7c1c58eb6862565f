"""The audit of a folder from the shell: prints the report, and writes it to build/audit/report.md.

python -m course_lib.audit <folder>
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from course_lib.audit.boxed_report import audit_boxed
from course_lib.audit.marked_report import audit_marked
from course_lib.audit.report import AuditReport, audit
from course_lib.audit.volume_folders import has_volumes
from course_lib.audit.volume_report import audit_volumes
from course_lib.data.boxed_folder import find_boxed, holds_boxed
from course_lib.data.marked_slices import find_marked, holds_marked
from course_lib.sources.command_line import explained
from course_lib.support.errors import DataError
from course_lib.support.runtime import COURSE_ROOT, existing_folder

PAGE = COURSE_ROOT / "build" / "audit" / "report.md"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; gives 0 once the report is written, whatever it says, and prints one sentence if it is not."""
    parser = argparse.ArgumentParser(prog="python -m course_lib.audit", description="Look at images before training.")
    parser.add_argument(
        "folder",
        help="has train/<CLASS>/ with images, and val/ and test/ beside it if there are any; or images/<CLASS>/, and "
        "masks/<CLASS>/ beside it; or images/ beside boxes.csv; or <patient>/nodule-K/ with images/ and mask-0/, "
        "mask-1/, …; or images/ and labels/ with volumes",
    )
    options = parser.parse_args(arguments)
    return explained(lambda: _audited(options.folder))


def _audited(given: str) -> str:
    if not given or (folder := existing_folder(given)) is None:
        raise DataError(f"There is no folder {given!r}. Say which to audit: make audit DATA=<folder>")
    report = _report(folder)
    return f"{report}\n\nWritten to {report.save(PAGE).relative_to(COURSE_ROOT)}"


def _report(folder: Path) -> AuditReport:
    if has_volumes(folder):
        return audit_volumes(folder)
    if holds_boxed(find_boxed(folder)):
        return audit_boxed(folder)
    return audit_marked(folder) if holds_marked(find_marked(folder)) else audit(folder)


if __name__ == "__main__":
    sys.exit(main())
