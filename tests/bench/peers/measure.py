"""Figures of filters from their scores, with the definitions of src/training/measure.rs and bootstrap.rs.

A spam score is any number that grows with doubt about a mail; a verdict is the filter's own decision. Percentages are 0..100.
"""

import math
from bisect import bisect_left, bisect_right
from itertools import accumulate
from operator import mul
from random import Random

RESAMPLES = 1000
SEED = 1
# Ham losses, in percent, at which missed spam is counted.
LOSSES = ("0.1", "0.5", "1.0")
# Cumulative probabilities of a Poisson number of mean 1, of 0 to 6; the rest is 7.
POISSON = (0.367879, 0.735759, 0.919699, 0.981012, 0.996340, 0.999406, 0.999917, 1.0)


def weights(count, random):
    """Weights of the Poisson bootstrap: how often each of the messages occurs in one resample."""
    return random.choices(range(len(POISSON)), cum_weights=POISSON, k=count)


class Scores:
    """What one filter said about messages whose labels are known, ready to be measured often."""

    def __init__(self, spam, scores, verdicts):
        """Three lists, one entry a mail."""
        self.count = len(spam)
        order = sorted(range(len(spam)), key=lambda at: -scores[at])
        self.ham = [at for at in order if not spam[at]]
        self.spam = [at for at in order if spam[at]]
        negative = [-scores[at] for at in self.ham]
        negative_spam = [-scores[at] for at in self.spam]
        # For each ham, the worst first: how many spam score higher, and at least as high; where its ties begin.
        self.above = [bisect_left(negative_spam, score) for score in negative]
        self.level = [bisect_right(negative_spam, score) for score in negative]
        self.tie = [bisect_left(negative, score) for score in negative]
        self.lost = [at for at in self.ham if verdicts[at]]
        self.missed = [at for at in self.spam if not verdicts[at]]

    def weigh(self, weight=None):
        """The scores under one weight a mail; without weights every mail counts once."""
        return Weighed(self, weight or [1] * self.count)


class Weighed:
    """Scores under weights."""

    def __init__(self, scores, weight):
        self.scores = scores
        self.of_ham = [weight[at] for at in scores.ham]
        self.ham_until = list(accumulate(self.of_ham, initial=0))
        self.spam_until = list(accumulate((weight[at] for at in scores.spam), initial=0))
        self.ham = self.ham_until[-1]
        self.spam = self.spam_until[-1]
        self.ham_lost = sum(weight[at] for at in scores.lost)
        self.spam_missed = sum(weight[at] for at in scores.missed)

    def auc(self):
        """The share of (ham, spam) pairs in the right order; ties count half."""
        below = sum(map(mul, self.of_ham, map(self.spam_until.__getitem__, self.scores.above)))
        not_above = sum(map(mul, self.of_ham, map(self.spam_until.__getitem__, self.scores.level)))
        pairs = self.ham * self.spam
        return (below + not_above) / (2 * pairs) if pairs else 0.0

    def at_loss(self, allowed):
        """(ham lost, spam missed) where the threshold is the score of the first ham that may no longer be lost."""
        first_kept = bisect_right(self.ham_until, allowed) - 1
        if first_kept >= len(self.of_ham):
            return self.ham, 0
        caught = self.spam_until[self.scores.above[first_kept]]
        return self.ham_until[self.scores.tie[first_kept]], self.spam - caught

    def at_percent(self, percent):
        """The same for a ham loss in percent."""
        return self.at_loss(math.floor(self.ham * float(percent) / 100))

    def figures(self):
        """The figures by name, as `gatepost model eval` names them; errors at equal ham loss besides."""
        auc = self.auc()
        found = {
            "auc": auc,
            "one_minus_roca_percent": 100 * (1 - auc),
            "hm_percent": percent(self.ham_lost, self.ham),
            "sm_percent": percent(self.spam_missed, self.spam),
            "lam_percent": lam(self.ham_lost, self.ham, self.spam_missed, self.spam),
            "errors": self.ham_lost + self.spam_missed,
        }
        for loss in LOSSES:
            ham_lost, spam_missed = self.at_percent(loss)
            found["caught at " + loss] = 100 - percent(spam_missed, self.spam)
            found["missed at " + loss] = percent(spam_missed, self.spam)
            found["errors at " + loss] = ham_lost + spam_missed
        return found


def percent(part, whole):
    """A share in percent; of nothing 0."""
    return 100 * part / whole if whole else 0.0


def lam(ham_lost, ham, spam_missed, spam):
    """The TREC spam track's lam%: half an error is added so that no error does not mean infinity."""

    def logit(part, whole):
        rate = (part + 0.5) / (whole + 1)
        return math.log(rate / (1 - rate))

    return 100 / (1 + math.exp(-(logit(ham_lost, ham) + logit(spam_missed, spam)) / 2))


def interval(values):
    """The middle 95 percent."""
    values = sorted(values)

    def at(thousandth):
        return values[((len(values) - 1) * thousandth + 500) // 1000]

    return at(25), at(975)


def ratio(ours, theirs):
    """Our errors to theirs; where they make none there is nothing to compare, unless we make none either."""
    if theirs:
        return ours / theirs
    return math.inf if ours else 1.0


def of_report(report):
    """(figures, intervals) that Gatepost reported itself, by our names; the errors at equal ham loss have no intervals there."""
    ham, spam = report["ham"], report["spam"]
    reported = report["intervals"] or {}
    figures = {key: report[key] for key in ("one_minus_roca_percent", "lam_percent", "hm_percent", "sm_percent", "errors")}
    intervals = {key: reported[key] for key in figures if key in reported}
    figures["auc"] = 1 - figures["one_minus_roca_percent"] / 100
    if reported:
        low, high = reported["one_minus_roca_percent"]
        intervals["auc"] = 1 - high / 100, 1 - low / 100
    for loss in LOSSES:
        missed = report["spam_missed_at_ham_loss"][loss]
        figures["missed at " + loss] = missed
        figures["caught at " + loss] = 100 - missed
        figures["errors at " + loss] = math.floor(ham * float(loss) / 100) + round(missed * spam / 100)
        if reported:
            low, high = reported["spam_missed_at_ham_loss"][loss]
            intervals["missed at " + loss] = low, high
            intervals["caught at " + loss] = 100 - high, 100 - low
    return figures, intervals


class Comparison:
    """Filters measured on the same messages, resampled together.

    `figures` and `intervals` are by name of the filter; `points` tells, for each ham loss at which ours is compared, its name,
    the peer, its errors, our errors, and the interval of the ratio.
    """

    def __init__(self, filters, ours, report):
        """`filters`: name to Scores, all of the same messages; `ours`: the name of ours. If it is not among them, its figures are
        those of `report`, and it is compared only where that tells enough."""
        self.filters = filters
        self.ours = ours
        plain = {name: scores.weigh() for name, scores in filters.items()}
        self.figures = {name: weighed.figures() for name, weighed in plain.items()}
        of_ours = None
        if ours not in filters:
            self.figures[ours], of_ours = of_report(report)
        self.peers = [name for name in filters if name != ours]
        self.at = [(loss, self._best(loss)) for loss in LOSSES]
        if ours in filters:
            # The ham that each peer itself loses is a ham loss to compare at, too.
            self.at += [(None, name) for name in self.peers]
        errors = self._errors(plain, self.figures)
        self._resample()
        if of_ours is not None:
            self.intervals[ours] = of_ours
        self.points = [
            (f"{loss} %" if loss else f"{plain[peer].ham_lost} ham, as its own threshold", peer, *pair, spread)
            for (loss, peer), pair, spread in zip(self.at, errors, self.spreads)
        ]

    def _best(self, loss):
        """The peer with the fewest errors at a ham loss."""
        return min(self.peers, key=lambda name: self.figures[name]["errors at " + loss])

    def _errors(self, weighed, figures):
        """(errors of the peer, our errors) at each ham loss to compare at."""
        pairs = []
        for loss, peer in self.at:
            if loss is None:
                pairs.append((figures[peer]["errors"], sum(weighed[self.ours].at_loss(weighed[peer].ham_lost))))
            else:
                pairs.append((figures[peer]["errors at " + loss], figures[self.ours]["errors at " + loss]))
        return pairs

    def _resample(self):
        random = Random(SEED)
        samples = {name: [] for name in self.filters}
        ratios = [[] for _ in self.at]
        count = next(iter(self.filters.values())).count
        for _ in range(RESAMPLES):
            weight = weights(count, random)
            weighed = {name: scores.weigh(weight) for name, scores in self.filters.items()}
            figures = {name: one.figures() for name, one in weighed.items()}
            for name, one in figures.items():
                samples[name].append(one)
            if self.ours in self.filters:
                for values, (theirs, ours) in zip(ratios, self._errors(weighed, figures)):
                    values.append(ratio(ours, theirs))
        self.intervals = {
            name: {key: interval([one[key] for one in of_filter]) for key in of_filter[0]}
            for name, of_filter in samples.items()
        }
        self.spreads = [interval(values) if values else None for values in ratios]
