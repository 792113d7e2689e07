"""Entry of `./kessai`: reads the command line and hands over to the command's module."""

from __future__ import annotations

import sys

from .commands import main

sys.exit(main(sys.argv[1:]))
