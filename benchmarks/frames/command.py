"""The command behind `benchmarks/desk.py`."""

import argparse
import sys
from pathlib import Path

from benchmarks.frames.make import KINDS, make


def main() -> int:
    parser = argparse.ArgumentParser(description="Put pages on frames of a desk.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    making = verbs.add_parser("make", help="make a folder of frames with a manifest")
    making.add_argument("--corpus", type=Path, required=True, help="folder with manifest.csv")
    making.add_argument("--out", type=Path, required=True, help="folder outside the repository")
    making.add_argument("--kind", choices=KINDS, required=True)
    making.add_argument("--seed", type=int, default=1)
    making.add_argument("--count", type=int, help="so many pages or pictures (default: all, 1,000)")
    arguments = parser.parse_args()
    try:
        made = make(
            arguments.corpus,
            arguments.out,
            arguments.kind,
            arguments.seed,
            lambda line: print(line, file=sys.stderr, flush=True),
            arguments.count,
        )
    except (OSError, ValueError) as error:
        print(f"benchmarks/desk.py: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped: the folder is not whole; run it again", file=sys.stderr)
        return 1
    print(made)
    return 0
