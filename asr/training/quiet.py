"""Import of TensorFlow without its messages on stderr, unless ``TF_CPP_MIN_LOG_LEVEL`` asks for them."""

from __future__ import annotations

import logging
import os
import sys
import tempfile

_LEVEL = "TF_CPP_MIN_LOG_LEVEL"


def import_tensorflow() -> None:
    """Import TensorFlow with file descriptor 2 redirected, since its libraries write there before any log level holds.

    Raises:
        ImportError: the import failed; what the libraries wrote is printed first.
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
