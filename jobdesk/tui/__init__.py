"""The terminal app. Nothing outside this package imports textual."""

import os

os.environ.setdefault("ESCDELAY", "35")  # Textual reads it on import: esc is answered at once
