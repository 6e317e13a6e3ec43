"""Exports are tried on the stores that the report is tried on."""

from tests.report.conftest import call, filled, hostile, own, run_spec

__all__ = ["call", "filled", "hostile", "own", "run_spec"]
