# The parts of scripts/test.sh, one at a time: `just check`, `just test -k pmi`.
# Each needs what scripts/setup.sh makes: .venv with MapCap and the group dev.

bin := ".venv/bin"

# What can be done
default:
    @just --list

# Make .venv and install MapCap with what its checks need
setup:
    scripts/setup.sh --group dev

# Style: rules and format
lint:
    {{bin}}/ruff check .
    {{bin}}/ruff format --check .

# Put the code into its format
format:
    {{bin}}/ruff check --fix .
    {{bin}}/ruff format .

# Types, strictly
types:
    {{bin}}/mypy

# Who may import whom
imports:
    {{bin}}/lint-imports

# All but the tests
check: lint types imports

# The tests, or those that match: `just test tests/db -k audit`
test *arguments:
    {{bin}}/pytest {{arguments}}

# docs/tables.md again, after a change of a table or an export
tables:
    {{bin}}/python -m scripts.describe_tables > docs/tables.md

# What a submission must pass
ci:
    .ci/run
