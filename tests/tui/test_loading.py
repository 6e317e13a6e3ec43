"""What is loaded behind the first screen, and at the first use, never waits for each other."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OWN = ("db", "mapcap", "tui")


def late_imports(tree: ast.AST, held: bool = False, late: bool = False) -> list[tuple[int, bool]]:
    """Return the lines where functions import modules of ours, and whether `loading` is held."""
    found = []
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = (
                [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else [each.name for each in node.names]
            )
            if late and any(name.split(".")[0] in OWN for name in names):
                found.append((node.lineno, held))
            continue
        taken = isinstance(node, ast.With) and any(
            isinstance(item.context_expr, ast.Name) and item.context_expr.id == "loading"
            for item in node.items
        )
        inside = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        found += late_imports(node, held or taken, late or inside)
    return found


def test_an_import_that_is_not_under_the_lock_is_seen() -> None:
    source = "def f():\n    import db.x\n    with loading:\n        from tui import y\n"
    assert late_imports(ast.parse(source)) == [(2, False), (4, True)]


@pytest.mark.parametrize("file", sorted((ROOT / "tui").rglob("*.py")), ids=lambda file: file.name)
def test_our_modules_are_loaded_late_under_one_lock(file: Path) -> None:
    """Without it the app hangs for good, as it did in three of about ten tries with quick keys.

    A key loads a screen, which waits for the queries; a thread with their lock waits for it.
    """
    assert all(held for _, held in late_imports(ast.parse(file.read_text(encoding="utf-8"))))


def test_there_are_such_imports() -> None:
    files = (ROOT / "tui").rglob("*.py")
    found = [late_imports(ast.parse(file.read_text(encoding="utf-8"))) for file in files]
    assert sum(map(len, found)) >= 6
