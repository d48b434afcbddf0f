"""
Reports of runs on one or more targets, as HTML, JSON, JUnit XML and Markdown.

Every writer accepts a `Run`, or a `RunRecord` that `read` returned, and `secrets`: the keys to
remove from the report in every encoding.
"""

from .folder import write
from .json_report import ReportUnreadable, as_json, read
from .junit import as_junit
from .markdown import as_markdown
from .page import as_html
from .records import RunRecord

__all__ = [
    "ReportUnreadable",
    "RunRecord",
    "as_html",
    "as_json",
    "as_junit",
    "as_markdown",
    "read",
    "write",
]
