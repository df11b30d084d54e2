"""Puts a mutant in the place of the module that it changes, in a process that was forked for it.

Where modules are imported already, the code of a function is exchanged: whoever imported the function has the mutant.
What is evaluated only once (constants, defaults, classes) is changed before anything is imported.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any


def dotted(module: str) -> str:
    """`console/operate/gate.py` as `console.operate.gate`."""
    return module.removesuffix(".py").replace("/", ".")


def exchange(module: str, function: str, source: str) -> bool:
    """Give a function of an imported module the code that it has in `source`; False where it cannot be done."""
    there = sys.modules[dotted(module)]
    code = next((c for c in _codes(compile(source, str(there.__file__), "exec", dont_inherit=True), function)), None)
    held = [f for f in _functions(there) if f.__code__.co_qualname == function]
    if code is None or len(held) != 1 or len(code.co_freevars) != len(held[0].__code__.co_freevars):
        return False
    held[0].__code__ = code
    return True


def _codes(code: CodeType, function: str) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            if constant.co_qualname == function:
                yield constant
            else:
                yield from _codes(constant, function)


def _functions(module: ModuleType) -> list[FunctionType]:
    """The functions and methods that a module defines, behind whatever wraps them."""
    found: dict[int, FunctionType] = {}
    seen: set[int] = set()

    def look(value: Any) -> None:
        if id(value) in seen:
            return
        seen.add(id(value))
        if isinstance(value, FunctionType):
            if value.__code__.co_filename == module.__file__:
                found[id(value)] = value
        elif isinstance(value, type):
            if value.__module__ == module.__name__:
                for inner in vars(value).values():
                    look(inner)
        elif isinstance(value, property):
            look(value.fget)
        elif isinstance(value, classmethod | staticmethod):
            look(value.__func__)
        if hasattr(value, "__wrapped__"):
            look(value.__wrapped__)

    for value in list(vars(module).values()):
        look(value)
    return list(found.values())


class _Loader(SourceFileLoader):
    def __init__(self, name: str, path: str, source: str) -> None:
        super().__init__(name, path)
        self._source = source

    def get_code(self, fullname: str) -> CodeType:
        return compile(self._source, self.path, "exec", dont_inherit=True)


class _Finder(MetaPathFinder):
    def __init__(self, module: str, source: str) -> None:
        self._name, self._path, self._source = dotted(module), str(Path(module).resolve()), source

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self._name:
            return None
        return importlib.util.spec_from_file_location(
            fullname, self._path, loader=_Loader(fullname, self._path, self._source)
        )


def import_instead(module: str, source: str) -> None:
    """Let `source` be imported as `module`, which nobody imported yet."""
    assert dotted(module) not in sys.modules, f"{module} is imported already"
    sys.meta_path.insert(0, _Finder(module, source))
