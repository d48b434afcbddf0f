"""The oracle: checks are pure functions that need the standard library only."""

import ast
import sys
from pathlib import Path

import pytest

from siliconflow_batch_conformance import checks
from siliconflow_batch_conformance.checks import shapes
from siliconflow_batch_conformance.checks.exchange import Exchange, form_parts, uploaded
from siliconflow_batch_conformance.recordings.judgments import CHECKS

MODULES = sorted(Path(checks.__file__).parent.glob("*.py"))
# Modules that read the clock, the environment, files, the network or chance.
IMPURE = {
    *("asyncio", "datetime", "ftplib", "getpass", "glob", "http", "io", "locale", "logging"),
    *("multiprocessing", "os", "pathlib", "platform", "random", "secrets", "select", "shutil"),
    *("signal", "smtplib", "socket", "sqlite3", "ssl", "subprocess", "sys", "tempfile"),
    *("threading", "time", "urllib", "uuid"),
}
IMPURE_CALLS = {"__import__", "breakpoint", "eval", "exec", "globals", "input", "open", "print"}


def imported(tree: ast.AST) -> set[str]:
    """The modules that are imported, with dots for relative ones."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add("." * node.level + (node.module or ""))
    return names


class TestPurity:
    @pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
    def test_imports(self, path: Path) -> None:
        """A module imports the standard library and modules of checks/ only."""
        siblings = {f".{module.stem}" for module in MODULES}
        names = imported(ast.parse(path.read_text(encoding="utf-8")))

        relative = {name for name in names if name.startswith(".")}
        top_level = {name.partition(".")[0] for name in names - relative}
        assert relative <= siblings
        assert top_level <= sys.stdlib_module_names
        assert top_level & IMPURE == set()

    @pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
    def test_calls(self, path: Path) -> None:
        """A module calls no builtin function that reads, writes or runs code."""
        tree = ast.parse(path.read_text(encoding="utf-8"))
        calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]

        names = {function.id for function in calls if isinstance(function, ast.Name)}
        assert names & IMPURE_CALLS == set()

    @pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
    def test_no_state(self, path: Path) -> None:
        """A module changes no global variable."""
        tree = ast.parse(path.read_text(encoding="utf-8"))

        assert not [node for node in ast.walk(tree) if isinstance(node, ast.Global | ast.Nonlocal)]

    def test_every_check_says_what_it_expects(self) -> None:
        """The docstring of a check is one line, which reports print after "expected:"."""
        for name, check in CHECKS.items():
            text = check.__doc__ or ""
            assert text.strip(), name
            assert "\n" not in text, name
            assert not text.endswith("."), name

    def test_every_check_is_registered(self) -> None:
        """Every public function of a module of checks is a check that recordings can name."""
        modules = {name.partition(".")[0] for name in CHECKS}
        for module in modules:
            tree = ast.parse((Path(checks.__file__).parent / f"{module}.py").read_text())
            functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
            public = {f"{module}.{name}" for name in functions if not name.startswith("_")}
            assert public == {name for name in CHECKS if name.startswith(f"{module}.")}


HEAD = b'Content-Disposition: form-data; name="%b"'


class TestStatuses:
    @pytest.mark.parametrize(
        ("method", "path", "fails"),
        [
            ("GET", "/files/file-a/content", False),
            ("GET", "/files", True),
            ("POST", "/batches", True),
        ],
    )
    def test_a_redirect(self, method: str, path: str, fails: bool) -> None:
        """Only a download may redirect, because no document describes its responses."""
        redirect = Exchange(1, method, path, 302)

        assert bool(shapes.status_is_documented(redirect, [200])) == fails


class TestForms:
    def test_fields_and_files(self) -> None:
        """Each part has its field name, its file name and its content, without the line ends."""
        body = b"--x\r\n%b\r\n\r\nbatch\r\n--x\r\n%b\r\n\r\n{}\n\r\n--x--\r\n" % (
            HEAD % b"purpose",
            HEAD % b"file" + b'; filename="a%22b.jsonl"\r\nContent-Type: text/plain',
        )
        request = Exchange(
            *(1, "POST", "/files", 200),
            request_body=body,
            request_type='multipart/form-data; boundary="x"',
        )

        assert list(form_parts(request)) == [
            ("purpose", None, b"batch"),
            ("file", "a%22b.jsonl", b"{}\n"),
        ]
        assert uploaded(request) == ('a"b.jsonl', b"{}\n")

    @pytest.mark.parametrize("request_type", ["", "multipart/form-data", "application/json"])
    def test_a_request_without_a_form(self, request_type: str) -> None:
        """A body without a boundary has no parts and no file."""
        request = Exchange(
            1, "POST", "/files", 200, request_body=b"--x--", request_type=request_type
        )

        assert list(form_parts(request)) == []
        assert uploaded(request) == ("", b"")
