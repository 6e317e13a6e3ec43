"""Supervised image classifiers of timm and transformers: looked at, loaded, and their maps."""
