"""`python -m mapcap`."""

from mapcap.cli import main

if __name__ == "__main__":
    main()
