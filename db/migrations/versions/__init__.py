"""One file per step; a step is never changed once a file in the world may have run it."""
