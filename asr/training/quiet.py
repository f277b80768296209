"""TensorFlow imported without its notes on stderr; with ``TF_CPP_MIN_LOG_LEVEL`` set they come as asked."""

from __future__ import annotations

import logging
import os
import sys
import tempfile

_LEVEL = "TF_CPP_MIN_LOG_LEVEL"


def import_tensorflow() -> None:
    """Import it; its libraries write to file descriptor 2 before they know any level, so that is held meanwhile.

    Raises:
        ImportError: as the import does, after what the libraries wrote.
    """
    if _LEVEL in os.environ or "tensorflow" in sys.modules:
        return
    os.environ[_LEVEL] = "3"
    with tempfile.TemporaryFile() as notes:
        stderr = os.dup(2)
        os.dup2(notes.fileno(), 2)
        try:
            import tensorflow

            tensorflow.get_logger().setLevel(logging.ERROR)
        except ImportError:
            notes.seek(0)
            os.write(stderr, notes.read())
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
