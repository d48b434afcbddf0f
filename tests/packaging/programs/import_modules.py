"""
Imports every module and every public name of the packages that are named as arguments.

`--without PREFIX` skips the modules whose name starts with PREFIX.
"""

import argparse
import importlib
import pkgutil
import sys
from collections.abc import Iterator
from pathlib import Path


def modules(package: str) -> Iterator[str]:
    """The package and its modules, without `__main__` and test cases, which run when imported."""
    yield package
    for module in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
        if not module.name.endswith(".__main__") and ".cases" not in module.name:
            yield module.name


parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("packages", nargs="+")
parser.add_argument("--without", default="no module")
options = parser.parse_args()

for package in options.packages:
    for name in modules(package):
        if name.startswith(options.without):
            continue
        module = importlib.import_module(name)
        assert Path(str(module.__file__)).is_relative_to(sys.prefix), module.__file__
        for public_name in getattr(module, "__all__", ()):
            getattr(module, public_name)
        print(name)
