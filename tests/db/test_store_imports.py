import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("modules", "forbidden"),
    [
        (
            "db.engine, db.queries, db.records",
            "torch open_clip transformers scipy mapcap tui pandas",
        ),
        ("db.writes, db.rows", "torch open_clip transformers scipy mapcap tui"),
        (
            "db.files, db.migrations",
            "torch open_clip transformers scipy mapcap tui sqlalchemy numpy",
        ),
    ],
)
def test_the_store_loads_no_network_and_none_of_ours(modules: str, forbidden: str) -> None:
    script = f"import sys, {modules}; print(*sorted(set({forbidden.split()!r}) & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ""
