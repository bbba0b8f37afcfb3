"""The blend goes on learning from what people take: in small, bounded steps that no one person can drive."""

from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from foretaste.domain.arrays import Doubles, Int64s
from foretaste.domain.errors import CorruptSnapshotError
from foretaste.ranking.blend import Blend
from foretaste.ranking.listwise import gains, smooth_gradient
from foretaste.ranking.samples import Sample, stack


class OnlineOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How the blend goes on learning; all bounds are parts of the weightiest source's trained weight.

    A step is made when the questions since the last one weigh `batch` together, of which one person's
    weigh at most `per_person`; it moves no source by more than `step`. No source ever gets farther than
    `reach` from its trained weight. `rate` is the step per unit of gradient, `pull` how much of the way back
    to the trained weights each step goes. Where what was learnt is behind the trained weights by more than
    `doubt` standard errors on the questions of late, it is forgotten; `memory` is the half-life of that
    comparison in steps.
    """

    batch: int = 48
    per_person: int = 2
    step: float = 0.05
    reach: float = 0.6
    rate: float = 1.0
    pull: float = 0.05
    doubt: float = 0.5
    memory: float = 30.0


class OnlineWeights:
    """Weights that follow the questions given to `learn`, beginning at those of a trained blend.

    What is learnt is one shift for each source, `shift` float64 [n_sources], in parts of a context's
    weightiest source and the same in all contexts of people with a history that hear the source at all. A
    function of the questions in their order alone.
    """

    def __init__(self, trained: Blend, options: OnlineOptions | None = None) -> None:
        self.trained = trained
        self.options = options or OnlineOptions()
        self.shift = np.zeros(len(trained.sources))
        self.steps = 0
        self._pending: dict[int, tuple[int, Doubles]] = {}
        self._compared = np.zeros(3)
        self._batch = np.zeros(2)

    @property
    def blend(self) -> Blend:
        """The blend as it is now; the trained one itself where nothing was learnt."""
        if not self.shift.any():
            return self.trained
        weights = self.trained.weights.copy()
        warm = weights[2:, :-1]
        largest = warm.max(axis=1, keepdims=True)
        weights[2:, :-1] = np.where(warm > 0.0, np.maximum(warm + self.shift * largest, 0.0), 0.0)
        return Blend(
            self.trained.sources, weights, self.trained.form, self.trained.report, self.trained.sharpness
        )

    def learn(self, sample: Sample, person: int) -> bool:
        """Take in one question about `person`; return whether the weights moved.

        Questions of an empty history, whose truth was no candidate, or of a context in which no source has a
        say, teach nothing.
        """
        if sample.truth < 0 or not sample.length:
            return False
        table = stack([sample], len(self.trained.sources))
        context = int(table.context[0])
        now, before = self.blend.weights[context], self.trained.weights[context]
        if not before[:-1].any():
            return False
        ahead = float(gains(table, now)[0] - gains(table, before)[0])
        slope = smooth_gradient(table, now * self.trained.sharpness)[:-1]
        slope -= now[:-1] * float(slope @ now[:-1]) / max(float(now[:-1] @ now[:-1]), 1e-12)
        length = float(np.sqrt(slope @ slope))
        count, total = self._pending.get(person, (0, np.zeros(len(self.shift))))
        self._pending[person] = (count + 1, total + slope / max(length, 1.0))
        if count < self.options.per_person:
            self._batch += (ahead, ahead * ahead)
        if self._weighed() < self.options.batch:
            return False
        self._step()
        return True

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """Return all that was learnt and what is pending, as arrays."""
        people = sorted(self._pending)
        return {
            "shift": self.shift.copy(),
            "compared": np.concatenate((self._compared, self._batch, [float(self.steps)])),
            "person": np.array(people, np.int64),
            "count": np.array([self._pending[person][0] for person in people], np.int64),
            "slope": np.array([self._pending[person][1] for person in people]).reshape(-1, len(self.shift)),
        }

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Become what `snapshot` returned; raise `CorruptSnapshotError` if it is of another blend."""
        try:
            shift, compared, slope = arrays["shift"], arrays["compared"], arrays["slope"]
            person, count = arrays["person"].tolist(), arrays["count"].tolist()
        except KeyError as error:
            raise CorruptSnapshotError(f"the learnt weights lack {error}") from error
        if shift.shape != self.shift.shape or slope.shape != (len(person), len(shift)) or len(compared) != 6:
            raise CorruptSnapshotError("the learnt weights belong to another blend")
        self.shift = np.array(shift, np.float64)
        self._compared, self._batch = np.array(compared[:3]), np.array(compared[3:5])
        self.steps = int(compared[5])
        self._pending = {
            who: (number, np.array(each, np.float64))
            for who, number, each in zip(person, count, slope, strict=True)
        }

    def _weighed(self) -> int:
        return sum(min(count, self.options.per_person) for count, _ in self._pending.values())

    def _step(self) -> None:
        """Move by the mean slope of the people, each weighed by their number of questions, but bounded."""
        options = self.options
        people: Int64s = np.array(sorted(self._pending), np.int64)
        mean = np.zeros(len(self.shift))
        for person in people.tolist():
            count, total = self._pending[person]
            mean += total * (min(count, options.per_person) / count)
        mean /= self._weighed()
        move = np.clip(-options.rate * mean, -options.step, options.step) - options.pull * self.shift
        move = np.clip(move, -options.step, options.step)
        self.shift = np.clip(self.shift + move * self._heard(), -options.reach, options.reach)
        self._pending.clear()
        self.steps += 1
        self._compare()

    def _compare(self) -> None:
        """Note how the weights did beside the trained ones, and forget what was learnt if it did worse."""
        kept = 0.5 ** (1.0 / self.options.memory)
        self._compared *= kept
        self._compared += (float(self.options.batch), *self._batch)
        self._batch[:] = 0.0
        n, total, squares = self._compared.tolist()
        mean = total / n
        error = np.sqrt(max(squares / n - mean * mean, 0.0) / n)
        if mean < -self.options.doubt * error:
            self.shift[:] = 0.0
            self._compared[:] = 0.0

    def _heard(self) -> Doubles:
        """Return 1 for sources that have a say for people with a history, else 0."""
        return np.asarray(self.trained.weights[2:, :-1].max(axis=0) > 0.0, np.float64)
