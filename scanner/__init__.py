"""A document in, a verdict out: reading, parsing, looking up, judging.

No network, no pins and no configuration file: everything that this package needs comes in as an
argument, so that a test, a benchmark and the box at the border all run the same code.
"""
