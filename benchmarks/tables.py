"""Where each benchmark's table stands in benchmarks/README.md: between two comments with the script's name.

And the GPU that some are measured on.
"""

from __future__ import annotations

from pathlib import Path

from asr.files import write_atomically


def gpu_name() -> str:
    """Of the first NVIDIA GPU that TensorFlow finds; ends the benchmark where it finds none."""
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        raise SystemExit("TensorFlow finds no GPU: pip install '.[cuda]' on a machine that has one")
    return tf.config.experimental.get_device_details(gpus[0])["device_name"]


def write_table(script: str, text: str) -> None:
    """Print ``text``, and put it between the comments of ``script``, such as ``cells.py``."""
    print(text)
    begin, end = f"<!-- {script} -->", f"<!-- end of {script} -->"
    path = Path(__file__).parent / "README.md"
    page = path.read_text(encoding="utf-8")
    with write_atomically(path) as temporary:
        temporary.write_text(f"{page.split(begin)[0]}{begin}\n{text}\n{end}{page.split(end)[1]}", encoding="utf-8")
