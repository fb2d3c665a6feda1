"""A storm of kills over the real service on Telegram and WhatsApp, and what must be true when it is over.

It kills as `tests/crash/storm` does, and uses its parts.
"""

import sys
from pathlib import Path

CRASH = Path(__file__).parents[2] / "crash"
if str(CRASH) not in sys.path:
    sys.path.append(str(CRASH))
