"""The few ways evalkit refuses to go on. Every message says what, where, how many and what to do."""


class Refusal(Exception):
    """What the five below have in common: words for a reader, never a person's value, no traceback."""


class StudyError(Refusal):
    """A study, suite, programme or area file cannot be used as it is written."""


class ContractBroken(Refusal):
    """An extract does not keep its data contract, so nothing was admitted."""


class NotComparable(Refusal):
    """The people in the data cannot be set side by side in the way the study asks."""


class NotReleasable(Refusal):
    """Something would leave the secure folder that has not been decided on, or must not leave it."""


class RunFailed(Refusal):
    """A report could not be made, or could not be written where it was wanted."""
