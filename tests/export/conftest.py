"""Exports are tried on the stores that the report is tried on."""

from tests.report.conftest import filled, hostile, own, run_spec, two_classes

__all__ = ["filled", "hostile", "own", "run_spec", "two_classes"]
