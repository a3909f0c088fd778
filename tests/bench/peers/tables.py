"""Keeps what the filters said as TSV, and lays out their figures as tables in Markdown."""

import sys
from pathlib import Path

import measure

# Columns of a table: title, names of figures, decimals, whether with intervals.
CORPUS_COLUMNS = (
    ("AUC", ("auc",), 5, True),
    ("1-ROCA %", ("one_minus_roca_percent",), 3, True),
    *((f"spam caught at {loss} % ham loss", (f"caught at {loss}",), 1, True) for loss in measure.LOSSES),
    ("errors there", tuple(f"errors at {loss}" for loss in measure.LOSSES), 0, False),
    ("own threshold: errors", ("errors",), 0, True),
    ("ham lost / spam missed %", ("hm_percent", "sm_percent"), 2, False),
)
STREAM_COLUMNS = (
    ("1-ROCA %", ("one_minus_roca_percent",), 4, True),
    ("lam %", ("lam_percent",), 3, True),
    ("hm %", ("hm_percent",), 3, True),
    ("sm %", ("sm_percent",), 3, True),
    ("errors", ("errors",), 0, False),
    ("spam missed at 0.1 % ham loss", ("missed at 0.1",), 3, True),
    ("at 0.5 / 1.0 %", ("missed at 0.5", "missed at 1.0"), 3, False),
)


def say(text):
    """Progress, for the person who waits."""
    print(text, file=sys.stderr, flush=True)


class Bench:
    """What several filters said about the same messages."""

    OURS = "Gatepost"

    def __init__(self, labelled, scratch, prefix=""):
        """`labelled`: list of (path, whether spam); the scores go to `scratch`/`prefix`NAME.tsv."""
        self.labelled = labelled
        self.spam = [spam for _, spam in labelled]
        self.scratch = Path(scratch)
        self.prefix = prefix
        self.filters = {}
        self.milliseconds = {}
        self.report = None

    def file(self, name):
        """Where the scores of a filter are kept."""
        return self.scratch / f"{self.prefix}{name.replace(' ', '_')}.tsv"

    def add(self, name, judged, milliseconds=None):
        """What a filter said of each mail, in order, and the CPU that it took for one."""
        if len(judged) != len(self.labelled):
            raise ValueError(f"{name} judged {len(judged)} of {len(self.labelled)} messages")
        scores, verdicts = zip(*judged)
        self.filters[name] = measure.Scores(self.spam, scores, verdicts)
        self.milliseconds[name] = milliseconds
        with open(self.file(name), "w", encoding="utf-8") as file:
            for (path, spam), (score, verdict) in zip(self.labelled, judged):
                file.write(f"{path}\t{word(spam)}\t{score!r}\t{word(verdict)}\n")

    def forget(self):
        """Takes away what was said in the last run."""
        for file in self.scratch.glob(f"{self.prefix}*.tsv"):
            file.unlink()

    def recall(self):
        """Takes what the peers said in the last run: on the same messages they say the same again."""
        for file in sorted(self.scratch.glob(f"{self.prefix}*.tsv")):
            name = file.stem[len(self.prefix):].replace("_", " ")
            if name != self.OURS:
                lines = [line.split("\t") for line in file.read_text(encoding="utf-8").splitlines()]
                if [(path, label == "spam") for path, label, *_ in lines] != self.labelled:
                    raise ValueError(f"{file} is of other messages")
                self.add(name, [(float(score), verdict == "spam") for _, _, score, verdict in lines])
        if not self.filters:
            raise ValueError(f"no scores of peers in {self.scratch}: run once without --ours-only")

    def add_ours(self, report, judged, milliseconds):
        """The report of Gatepost, and its scores by path where it gives them."""
        self.report = report
        if judged is not None:
            self.add(self.OURS, [judged[path] for path, _ in self.labelled])
        self.milliseconds[self.OURS] = milliseconds

    def tables(self, columns):
        """Both tables: the figures of each filter, and ours next to the peers at the same ham loss."""
        say("resampling")
        found = measure.Comparison(self.filters, self.OURS, self.report)
        titles = ["filter"] + [title for title, *_ in columns] + ["CPU ms a mail"]
        rows = [self._row(found, name, columns) for name in found.figures]
        return table(titles, rows) + "\n\n" + against(found)

    def _row(self, found, name, columns):
        figures, intervals = found.figures[name], found.intervals[name]
        cells = [cell(figures, intervals, *column[1:]) for column in columns]
        milliseconds = self.milliseconds.get(name)
        return [name, *cells, "" if milliseconds is None else f"{milliseconds:.2f}"]


def word(spam):
    """A label or verdict as it is written."""
    return "spam" if spam else "ham"


def cell(figures, intervals, names, decimals, with_interval):
    """One or several figures, the single one with its interval."""
    text = " / ".join(f"{figures[name]:.{decimals}f}" for name in names)
    if with_interval and names[0] in intervals:
        low, high = intervals[names[0]]
        text += f" [{low:.{decimals}f}, {high:.{decimals}f}]"
    return text


def against(found):
    """Errors of ours next to those of a peer that loses the same ham."""
    rows = []
    for name, peer, theirs, ours, spread in found.points:
        text = f"{measure.ratio(ours, theirs):.2f}"
        if spread:
            text += f" [{spread[0]:.2f}, {spread[1]:.2f}]"
        rows.append([name, peer, str(theirs), str(ours), text])
    return table(["ham lost", "peer (up to 1 %: the best)", "its errors", f"errors of {found.ours}", "ratio"], rows)


def table(titles, rows):
    """A table in Markdown."""
    lines = [titles, ["---"] * len(titles), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
