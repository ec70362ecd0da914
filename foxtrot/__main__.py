"""`python -m foxtrot`: the command line."""

import sys

from foxtrot.cli import main

if __name__ == "__main__":
    sys.exit(main())
