"""The error tree: whatever Foretaste raises on purpose is one of these.

.. code-block:: text

    ForetasteError
    ├── InvalidInputError        what the caller sent cannot be used (HTTP 400, exit code 2)
    │   ├── InvalidEventError
    │   ├── InvalidItemError
    │   └── InvalidQueryError
    ├── NotFoundError            no such item, user, model, scenario or answer (HTTP 404, exit code 3)
    │   ├── UnknownItemError
    │   ├── UnknownUserError
    │   ├── UnknownModelError
    │   └── UnknownScenarioError
    ├── UnavailableError         cannot be done now, may be tried again (HTTP 503, exit code 4)
    │   ├── NotDurableError      an event could not be made durable and was not accepted
    │   ├── NoModelError         nothing is trained yet
    │   └── BusyError            only one at a time, and one is under way (HTTP 409)
    ├── CorruptDataError         stored bytes are not what was written (HTTP 500, exit code 5)
    │   ├── CorruptArtifactError
    │   └── CorruptSnapshotError
    ├── SequenceGapError         a fold was handed an event that does not follow its last one
    ├── GateRefusedError         a trained model is not good enough to be published (exit code 6)
    └── MissingExtraError        an optional dependency is not installed (exit code 7)
"""


class ForetasteError(Exception):
    """Root of the tree. The message names the field or setting concerned and says what to do.

    `field` names the offending field, parameter or setting where there is one.
    """

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class InvalidInputError(ForetasteError):
    """What the caller sent cannot be used as it is."""


class InvalidEventError(InvalidInputError):
    """An event breaks the rules of the vocabulary."""


class InvalidItemError(InvalidInputError):
    """A catalog item breaks the rules."""


class InvalidQueryError(InvalidInputError):
    """A parameter of a request is missing, of the wrong type or out of its range."""


class NotFoundError(ForetasteError):
    """The thing named does not exist."""


class UnknownItemError(NotFoundError):
    """No item has this id."""


class UnknownUserError(NotFoundError):
    """No user has this id."""


class UnknownModelError(NotFoundError):
    """No model has this name or version; the message lists those there are."""


class UnknownScenarioError(NotFoundError):
    """No scenario has this name; the message lists those there are."""


class UnavailableError(ForetasteError):
    """It cannot be done at this moment; `retry_after` is a hint in seconds."""

    def __init__(self, message: str, *, field: str | None = None, retry_after: float = 1.0) -> None:
        super().__init__(message, field=field)
        self.retry_after = retry_after


class NotDurableError(UnavailableError):
    """The event could not be written durably, so it was not accepted; nothing of it remains."""


class UnconfirmedError(NotDurableError):
    """Whether it was written could not be learnt in time; sent again under the same ids it counts once."""


class NoModelError(UnavailableError):
    """No model is published yet."""


class BusyError(UnavailableError):
    """There can be one of it at a time, and one is under way; the message names it."""


class CorruptDataError(ForetasteError):
    """Stored bytes differ from what was written."""


class CorruptArtifactError(CorruptDataError):
    """An artifact's files and its manifest disagree."""


class CorruptSnapshotError(CorruptDataError):
    """A state snapshot cannot be believed; the state is rebuilt from the log instead."""


class SequenceGapError(ForetasteError):
    """A fold received an event whose sequence number is not its last one plus one."""


class GateRefusedError(ForetasteError):
    """The trained model is worse than what it would replace; the message says by how much."""


class MissingExtraError(ForetasteError):
    """A feature needs an optional dependency; the message gives the install command."""
