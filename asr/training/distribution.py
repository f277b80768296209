"""Training on several devices at once with TensorFlow's tf.distribute.

Training is data parallel: each replica holds all weights and takes its rows of each batch. Losses and gradients are
summed over the replicas, so that a step on many devices equals a step on one device with the same batch. A process
(worker) prepares only the rows of its own replicas. Worker 0, the chief, also evaluates, writes and reports. Decisions
that depend on its clock or on a dev score are all-gathered, because the workers must take the same steps.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import tensorflow as tf

from asr.errors import ConfigError, TrainingError
from asr.training.tensor import Tensor

_LOST = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.FailedPreconditionError,
    tf.errors.InternalError,
)
"""Errors that a collective raises when a worker is gone, which TensorFlow's heartbeat detects within ten seconds."""


@dataclass(frozen=True, eq=False)
class Devices:
    """The replicas that train together.

    Attributes:
        strategy: TensorFlow's strategy; the default one is for one device.
        addresses: ``host:port`` of each worker; one empty string where there is one process.
        worker: index of this process among the workers, from 0.
    """

    strategy: tf.distribute.Strategy = field(default_factory=tf.distribute.get_strategy)
    addresses: Sequence[str] = ("",)
    worker: int = 0

    @property
    def workers(self) -> int:
        """Number of processes."""
        return len(self.addresses)

    @property
    def chief(self) -> bool:
        """Whether this process evaluates, writes and reports."""
        return self.worker == 0

    @property
    def replicas(self) -> int:
        """Number of replicas in this process."""
        replicas: int = self.strategy.num_replicas_in_sync
        return replicas // self.workers

    def own_rows(self, *tensors: Tensor) -> list[Tensor]:
        """Return this replica's rows of ``tensors`` (B, …), the last of them weights, split as in `shared`."""
        if self.replicas == 1:
            return list(tensors)
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group % self.replicas
        rows = tf.shape(tensors[0])[0]
        places = tf.range((rows + self.replicas - 1) // self.replicas) * self.replicas + replica
        *own, weights = (tf.gather(t, tf.minimum(places, rows - 1)) for t in tensors)
        return [*own, tf.where(places < rows, weights, 0.0)]

    def summed(self, tensors: list[Tensor]) -> list[Tensor]:
        """Sum ``tensors`` over all replicas; call it on each replica."""
        if self.strategy.num_replicas_in_sync == 1:
            return tensors
        totals: list[Tensor] = tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, tensors)
        return totals

    def first(self, value: Tensor) -> Tensor:
        """Return ``value`` as the first replica of this process has it."""
        return self.strategy.experimental_local_results(value)[0]

    def all_gather(self, *values: float) -> np.ndarray:
        """Gather the ``values`` of all workers (workers, values) on each of them; all wait for the last one."""
        table = np.zeros((self.workers, len(values)))
        table[self.worker] = values
        return table if self.workers == 1 else self._total(tf.constant(table)).numpy() / self.replicas

    @cached_property
    def _total(self) -> Callable[[Tensor], Tensor]:
        def on_replica(table: Tensor) -> Tensor:
            return self.summed([tf.identity(table)])[0]  # the copy is on the replica's device; an argument is on none

        total: Callable[[Tensor], Tensor] = tf.function(
            lambda table: self.first(self.strategy.run(on_replica, (table,)))
        )
        return total

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Report in one line that a worker is gone.

        Raises:
            TrainingError: a worker is gone; the others end, and all must be started again.
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
    """Return every ``parts``-th of ``rows`` from ``part`` on, since neighbours have similar length, and their weights.

    All parts have equally many rows, so that none waits for another: a part that would have fewer is filled up with
    the last row at weight 0.

    >>> [shared([7, 3, 9], part, 2) for part in range(2)]
    [([7, 9], array([1., 1.], dtype=float32)), ([3, 9], array([1., 0.], dtype=float32))]
    """
    places = range(part, part + parts * -(-len(rows) // parts), parts)
    weights = np.array([place < len(rows) for place in places], np.float32)
    return [rows[min(place, len(rows) - 1)] for place in places], weights


def find_devices(choice: str) -> Devices:
    """Find the devices for ``trainer.strategy``; call it before TensorFlow's first operation.

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
    """Parse the value of TF_CONFIG into the workers' addresses and the index of this worker.

    >>> read_cluster('{"cluster": {"worker": ["a:2222", "b:2222"]}, "task": {"type": "worker", "index": 1}}')
    (['a:2222', 'b:2222'], 1)

    Raises:
        ConfigError: the value has another form.
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
