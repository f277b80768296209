"""Several devices that train as one, by TensorFlow's own engine (tf.distribute).

Data parallel: each replica holds all weights and takes its rows of each batch; losses and gradients are summed over the
replicas, so that a step of many devices is the step of one with the same batch. A process (worker) prepares the rows of
its own replicas alone. Worker 0, the chief, also judges, writes and reports; what it decides by its clock or by a dev
score is told to the others, because a worker that takes another turn leaves the rest waiting.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import tensorflow as tf

from asr.errors import ConfigError, TrainingError

_LOST = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.FailedPreconditionError,
    tf.errors.InternalError,
)
"""What a collective raises when a worker is gone: TensorFlow's heartbeat misses it after ten seconds at most."""


@dataclass(frozen=True, eq=False)
class Devices:
    """The replicas that train together.

    Attributes:
        strategy: TensorFlow's; the default one does nothing, for one device.
        addresses: of the workers, ``host:port`` each; one without a name where there is one process.
        worker: this process among them, from 0.
    """

    strategy: tf.distribute.Strategy = field(default_factory=tf.distribute.get_strategy)
    addresses: Sequence[str] = ("",)
    worker: int = 0

    @property
    def workers(self) -> int:
        """How many processes."""
        return len(self.addresses)

    @property
    def chief(self) -> bool:
        """Whether this process judges, writes and reports."""
        return self.worker == 0

    @property
    def replicas(self) -> int:
        """In this process."""
        return self.strategy.num_replicas_in_sync // self.workers

    def own_rows(self, *tensors: Any) -> list[Any]:
        """On a replica: its rows of this process's ``tensors`` (B, …), weights the last, by ``shared``'s rule."""
        if self.replicas == 1:
            return list(tensors)
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group % self.replicas
        rows = tf.shape(tensors[0])[0]
        places = tf.range((rows + self.replicas - 1) // self.replicas) * self.replicas + replica
        *own, weights = (tf.gather(t, tf.minimum(places, rows - 1)) for t in tensors)
        return [*own, tf.where(places < rows, weights, 0.0)]

    def summed(self, tensors: list[Any]) -> list[Any]:
        """On a replica: the sums over all replicas."""
        if self.strategy.num_replicas_in_sync == 1:
            return tensors
        return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, tensors)

    def first(self, value: Any) -> Any:
        """What the first replica of this process has as ``value``."""
        return self.strategy.experimental_local_results(value)[0]

    def told(self, *values: float) -> np.ndarray:
        """The ``values`` of every worker (workers, values), on each of them; all wait here for the last one."""
        table = np.zeros((self.workers, len(values)))
        table[self.worker] = values
        return table if self.workers == 1 else self._total(tf.constant(table)).numpy() / self.replicas

    @cached_property
    def _total(self) -> Callable[[Any], Any]:
        def on_replica(table: Any) -> Any:
            return self.summed([tf.identity(table)])[0]  # the copy is on the replica's device; an argument is on none

        return tf.function(lambda table: self.first(self.strategy.run(on_replica, (table,))))

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Say in one line that a worker is gone.

        Raises:
            TrainingError: it is; the others can only end, and be started again with it.
        """
        try:
            yield
        except _LOST as fault:
            if self.workers == 1:
                raise
            raise TrainingError(self._loss(str(fault))) from fault

    def _loss(self, message: str) -> str:
        gone = sorted({int(n) for n in re.findall(r"/job:worker/(?:replica:0/)?task:(\d+)", message)} - {self.worker})
        named = " and ".join(f"worker {n} ({self.addresses[n]})" for n in gone) or "another worker"
        return (
            f"worker {self.worker} of {self.workers} cannot go on: {named} ended or cannot be reached, and says itself "
            "why; start every worker again with the same command, and training goes on from the last checkpoint"
        )


def shared(rows: Sequence[int], part: int, parts: int) -> tuple[Sequence[int], np.ndarray]:
    """Every ``parts``-th of ``rows`` from ``part`` on, and the weight of each: neighbours are of like length.

    All parts have as many rows, so that none waits for another: the last row fills up those that would have fewer, or
    none, and counts nothing there.

    >>> [shared([7, 3, 9], part, 2) for part in range(2)]
    [([7, 9], array([1., 1.], dtype=float32)), ([3, 9], array([1., 0.], dtype=float32))]
    """
    places = range(part, part + parts * -(-len(rows) // parts), parts)
    weights = np.array([place < len(rows) for place in places], np.float32)
    return [rows[min(place, len(rows) - 1)] for place in places], weights


def find_devices(choice: str) -> Devices:
    """The devices of ``trainer.strategy``; call it before TensorFlow's first operation.

    Args:
        choice: ``mirrored``, all GPUs of this machine (all CPUs where it has none); ``multi_worker``, those of all
            machines in the environment variable TF_CONFIG; ``auto``, ``multi_worker`` where that is set, ``mirrored``
            where there are several GPUs, else the one device there is.

    Raises:
        ConfigError: ``multi_worker`` without a sound TF_CONFIG.
    """
    if choice == "multi_worker" or (choice == "auto" and os.environ.get("TF_CONFIG")):
        addresses, worker = read_cluster(os.environ.get("TF_CONFIG", ""))
        return Devices(tf.distribute.MultiWorkerMirroredStrategy(), addresses, worker)
    gpus = tf.config.list_logical_devices("GPU") if tf.config.list_physical_devices("GPU") else []
    if choice == "mirrored" or len(gpus) > 1:
        local = gpus or tf.config.list_logical_devices("CPU")
        return Devices(tf.distribute.MirroredStrategy([d.name for d in local]))
    return Devices()


def read_cluster(text: str) -> tuple[list[str], int]:
    """The workers' addresses and this one's place, from the value of TF_CONFIG.

    >>> read_cluster('{"cluster": {"worker": ["a:2222", "b:2222"]}, "task": {"type": "worker", "index": 1}}')
    (['a:2222', 'b:2222'], 1)

    Raises:
        ConfigError: it is something else.
    """
    try:
        content = json.loads(text)
        cluster, task = content["cluster"], content["task"]
        addresses, worker = cluster["worker"], int(task["index"])
        sound = set(cluster) == {"worker"} and task["type"] == "worker" and 0 <= worker < len(addresses)
    except (ValueError, KeyError, TypeError):
        sound = False
    if not sound or isinstance(addresses, str):
        raise ConfigError(
            f"trainer.strategy=multi_worker reads TF_CONFIG, got {text!r}; needed is "
            '{"cluster": {"worker": ["host:port", …]}, "task": {"type": "worker", "index": 0}}, '
            "the same list on every machine and its own index on each"
        )
    return addresses, worker
