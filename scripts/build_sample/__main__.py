"""Run the renderer: `python -m scripts.build_sample --stamps DIR`."""

from scripts.build_sample.render import main

if __name__ == "__main__":
    main()
