"""
Reports of runs: a page, data, JUnit XML and Markdown, of one target or of several.

Every writer takes what a run yields (`Run`) or what `read` gives back of an earlier one, and
`secrets`: keys that no report may contain, in whatever form a service wrote them.
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
