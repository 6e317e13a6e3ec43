"""Screens post messages and the app alone opens screens, so that none imports another in turn."""

import ast
from pathlib import Path

from tui.navigation import Navigation, SwitchRun

ROOT = Path(__file__).parents[2]
MODULES = {
    ".".join(file.relative_to(ROOT).with_suffix("").parts): ast.parse(file.read_text())
    for file in sorted((ROOT / "tui").rglob("*.py"))
}


def imported(tree: ast.Module) -> set[str]:
    """Return the modules of tui that a module imports, within functions too."""
    named: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            named |= {each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            assert node.level == 0
            named |= {f"{node.module}.{each.name}" for each in node.names} | {node.module}
    return named & set(MODULES)


GRAPH = {name: imported(tree) - {name} for name, tree in MODULES.items()}


def reached(start: str) -> set[str]:
    found: set[str] = set()
    waiting = [start]
    while waiting:
        for each in GRAPH[waiting.pop()] - found:
            found.add(each)
            waiting.append(each)
    return found


def test_the_graph_is_that_of_the_app() -> None:
    assert "tui.screens.one_class" in GRAPH["tui.app"]  # imported where it is used
    assert "tui.screens.base" in reached("tui.screens.one_class")
    assert len(GRAPH) > 30


def test_no_module_of_the_app_leads_back_to_itself() -> None:
    assert [name for name in GRAPH if name in reached(name)] == []


def test_widgets_know_no_screen_and_screens_no_app() -> None:
    for name in GRAPH:
        if name.startswith("tui.widgets."):
            assert not {each for each in reached(name) if each.startswith("tui.screens.")}
        if name != "tui.app":
            assert "tui.app" not in GRAPH[name]


def test_the_app_alone_shows_screens() -> None:
    for name, tree in MODULES.items():
        calls = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        assert ("push_screen" in calls) == (name == "tui.app"), name


def test_every_message_has_its_screen() -> None:
    handled = {
        node.cls.id
        for node in ast.walk(MODULES["tui.app"])
        if isinstance(node, ast.MatchClass) and isinstance(node.cls, ast.Name)
    }
    kinds = {kind.__name__ for kind in Navigation.__subclasses__() if kind is not SwitchRun}
    assert handled == kinds
