"""Progress of a synthesis: photos are what is counted, and what happens between two of them is a note."""

from bench.core.progress import ReportProgress


class PhotoProgress:
    """Counts finished photos and reports each; ``note`` says what goes on meanwhile."""

    def __init__(self, report: ReportProgress) -> None:
        self._report = report
        self._done = 0
        self._total = 0

    def start(self, done: int, total: int) -> None:
        """Begin with ``done`` of ``total`` photos finished before."""
        self._done, self._total = done, total
        self._report(done, total, "")

    def finished(self, photo_id: str) -> None:
        """Count one more photo."""
        self._done += 1
        self._report(self._done, self._total, photo_id)

    def note(self, text: str) -> None:
        """Say what goes on while no photo is finished, for example a training step."""
        self._report(self._done, self._total, text)
