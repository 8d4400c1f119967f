"""One check a file, named by the file: `check(context)` yields what it found."""
