"""`python -m strongroom_node` is the `strongroom` command."""

import sys

from strongroom_node.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
