"""Errors that reach the person at the command line as one sentence."""


class VeilBenchError(Exception):
    """A failed run: the message is one sentence that says what to do. Exit code 1."""

    exit_code = 1


class UsageError(VeilBenchError):
    """Wrong use, for example an unknown name or a malformed suite file. Exit code 2."""

    exit_code = 2


class DataError(VeilBenchError):
    """Bad input data; the message names the file or photo, and the field. Exit code 1."""


class StoreFullError(VeilBenchError):
    """The disk under the artifact store is full; nothing half-written stays behind. Exit code 1."""


class StoreBusyError(VeilBenchError):
    """The artifact store is in use by a run, so that nothing may be removed from it now. Exit code 1."""


class DuplicateNameError(VeilBenchError):
    """Two plugins claim one name; the message says where both come from. Exit code 1."""
