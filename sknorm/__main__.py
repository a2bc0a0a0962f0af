"""Run the command line, ``python -m sknorm``."""

import sys

from sknorm._cli.main import main

if __name__ == "__main__":
    sys.exit(main())
