"""``python -m greenledger_verify``."""

import sys

from greenledger_verify.cli import main

sys.exit(main())
