"""Rendered pictures: cut-outs on backgrounds made by a program, with numpy and Pillow alone."""
