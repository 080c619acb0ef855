"""`python -m pithead`."""

import sys

from pithead.cli import main

sys.exit(main())
