"""Proofs that MapCap holds, each a module with `main(argv)`: see `python -m scripts.prove`."""
