"""Selection of the prefixes that stay in the beam after a frame, of those that stayed the same and those that grew."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from asr.decoding.beam import Beam, BeamOptions, rows_of
from asr.decoding.beam_pruning import best_of_each_state, near_the_best, widest_of_each
from asr.decoding.lattice import PrefixLattice
from asr.decoding.state_hash import grown_identities, salted
from asr.text import BLANK


@dataclass(frozen=True)
class Longer:
    """N prefixes that extend prefixes of a beam by one label, with their scores.

    Attributes:
        rows: (N,) the rows in the beam of the prefixes without the label.
        labels: (N,) the label that was added.
        ends_label: (N,) the log-probability of their paths.
        scores: (N,) that log-probability plus what the scorers gave.
        added: (N,) what the scorers gave for the label.
        states: (N, S) the states of the scorers.
        state_hashes: (N,) as ``Beam.state_hash``.
    """

    rows: np.ndarray
    labels: np.ndarray
    ends_label: np.ndarray
    scores: np.ndarray
    added: np.ndarray
    states: np.ndarray
    state_hashes: np.ndarray


def select(
    stayed: Beam, longer: Longer, options: BeamOptions, threshold: np.ndarray, resting: np.ndarray | None
) -> Beam:
    """Return the best of the prefixes that ``stayed`` the same and of those that are ``longer`` by a label.

    If a recording is ``resting`` (R,) at this frame, all its prefixes are kept, as if it were searched alone.
    """
    everyone = np.concatenate([stayed.scores, longer.scores])
    recording = np.concatenate([stayed.recording, stayed.recording[longer.rows]])
    near = near_the_best(everyone, recording, threshold)
    if resting is not None:
        near[: len(stayed.recording)] |= resting.take(stayed.recording)
    kept = near.nonzero()[0]
    near_places = kept
    if options.merge:
        state_hashes = np.concatenate([stayed.state_hash, longer.state_hashes]).take(kept)
        kept = kept[best_of_each_state(salted(state_hashes, recording.take(kept)), everyone[kept])]
    if len(kept) > options.width:
        kept = widest_of_each(kept, everyone, recording, len(threshold), options.width)
    beam = _grown(stayed, longer, kept)
    if isinstance(beam.tree, PrefixLattice):
        _remember(beam.tree, beam, kept, stayed, longer, everyone, near_places)
    return beam


def _remember(
    lattice: PrefixLattice,
    beam: Beam,
    kept: np.ndarray,
    stayed: Beam,
    longer: Longer,
    everyone: np.ndarray,
    near: np.ndarray,
) -> None:
    """Record in ``lattice`` which places ``near`` of the scores ``everyone`` were merged into the places ``kept``."""
    lattice.weigh(beam.node, everyone.take(kept))
    others = np.setdiff1d(near, kept, assume_unique=True)
    order = beam.state_hash.argsort()
    state_hashes = np.concatenate([stayed.state_hash, longer.state_hashes]).take(others)
    winners = order.take(beam.state_hash.searchsorted(state_hashes, sorter=order), mode="clip")
    merged = (beam.state_hash.take(winners) == state_hashes).nonzero()[0]
    others, winners = others.take(merged), beam.node.take(winners.take(merged))
    edge = int(others.searchsorted(len(stayed.last)))
    whole, grown = others[:edge], others[edge:] - len(stayed.last)
    nodes = np.concatenate([stayed.node.take(whole), stayed.node.take(longer.rows.take(grown))])
    labels = np.concatenate([np.full(edge, BLANK), longer.labels.take(grown)])
    lattice.merge(winners, nodes, labels, everyone.take(others))


def _grown(stayed: Beam, longer: Longer, kept: np.ndarray) -> Beam:
    """Return the prefixes at the places ``kept``, which count those that ``stayed`` and after them those ``longer``."""
    count = int(kept.searchsorted(len(stayed.last)))
    old, new = kept[:count], kept[count:] - len(stayed.last)
    if not len(new):
        return rows_of(stayed, old)
    rows, labels = longer.rows[new], longer.labels[new]
    parents = stayed.identity[rows]
    beam = rows_of(stayed, np.concatenate([old, rows]))
    beam.ends_blank[count:] = -np.inf
    beam.ends_label[count:] = beam.total[count:] = longer.ends_label[new]
    beam.extra[count:] += longer.added[new]
    beam.states[count:] = longer.states[new]
    beam.last[count:] = labels
    beam.state_hash[count:] = longer.state_hashes[new]
    beam.identity[count:] = grown_identities(parents, labels)
    beam.parent[count:] = parents
    beam.node[count:] = beam.tree.add(stayed.node[rows], labels)
    return beam
