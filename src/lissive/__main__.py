"""`python -m lissive` is the command `lissive`."""

import sys

from lissive.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
