#!/usr/bin/env python3
"""The figures on cases whose answer is known: `python3 tests/bench/peers/measure_test.py`."""

import unittest
from random import Random

import corpora
import measure
import tables


def weighed(ham, spam, threshold=0.0, weight=None):
    """Scores of ham and of spam."""
    scores = [*ham, *spam]
    labels = [False] * len(ham) + [True] * len(spam)
    return measure.Scores(labels, scores, [score >= threshold for score in scores]).weigh(weight)


class Measure(unittest.TestCase):
    """The figures."""

    def test_the_known_case_of_measure_rs(self):
        ham = [-5 - i / 1000 for i in range(1000)] + [4.0]
        spam = [3 + i / 1000 for i in range(99)] + [-6.0]
        found = weighed(ham, spam).figures()
        self.assertEqual(found["missed at 0.1"], 1.0)
        self.assertEqual((found["errors"], found["errors at 0.1"]), (2, 2))
        self.assertAlmostEqual(found["hm_percent"], 100 / 1001)
        self.assertAlmostEqual(found["sm_percent"], 1.0)
        self.assertTrue(0.98 < found["auc"] < 0.999)

    def test_ties_count_half_and_lose_nothing_that_may_not_be_lost(self):
        self.assertEqual(weighed([1, 1], [1]).auc(), 0.5)
        self.assertEqual(weighed([0], [1]).auc(), 1.0)
        # One of the two ham at 1 may be lost, but no threshold loses only one.
        self.assertEqual(weighed([1, 1, 0], [2, 1, 0.5]).at_loss(1), (0, 2))
        self.assertEqual(weighed([1, 1, 0], [2, 1, 0.5]).at_loss(2), (2, 0))
        self.assertEqual(weighed([1, 1, 0], [2, 1, -1]).at_loss(3), (3, 0))

    def test_weights_are_copies(self):
        random = Random(3)
        ham = [round(random.gauss(-1, 1), 1) for _ in range(200)]
        spam = [round(random.gauss(1, 1), 1) for _ in range(100)]
        weight = measure.weights(300, random)
        copies = [[score for score, times in zip(part, of_part) for _ in range(times)]
                  for part, of_part in ((ham, weight[:200]), (spam, weight[200:]))]
        self.assertEqual(weighed(ham, spam, weight=weight).figures(), weighed(*copies).figures())

    def test_the_poisson_weights_have_mean_one(self):
        self.assertAlmostEqual(sum(measure.weights(100_000, Random(5))) / 100_000, 1.0, delta=0.02)

    def test_a_report_tells_what_the_scores_tell(self):
        random = Random(4)
        ham = [random.gauss(-1, 1) for _ in range(1000)]
        spam = [random.gauss(1, 1) for _ in range(500)]
        known = weighed(ham, spam).figures()
        report = {**known, "ham": 1000, "spam": 500, "intervals": None}
        report["spam_missed_at_ham_loss"] = {loss: known["missed at " + loss] for loss in measure.LOSSES}
        figures, intervals = measure.of_report(report)
        self.assertEqual(intervals, {})
        for name, value in known.items():
            self.assertAlmostEqual(figures[name], value, msg=name)

    def test_a_comparison_names_the_best_peer(self):
        labels = [False] * 400 + [True] * 400
        random = Random(6)

        def filter_of(distance):
            scores = [random.gauss(distance if spam else -distance, 1) for spam in labels]
            return measure.Scores(labels, scores, [score >= 0 for score in scores])

        found = measure.Comparison({"good": filter_of(2), "bad": filter_of(1), "Gatepost": filter_of(3)}, "Gatepost", None)
        self.assertEqual([point[1] for point in found.points], ["good"] * 3 + ["good", "bad"])
        for _, _, theirs, ours, (low, high) in found.points:
            self.assertTrue(low <= ours / theirs <= high < 1)
        self.assertIn("| 0.1 % | good |", tables.against(found))


class Mask(unittest.TestCase):
    """What is taken out of a mail."""

    MAIL = (
        b"From x Mon Jan 1\r\nReturn-Path: <a@example.com>\r\nX-Spam-Status: Yes\r\n\tscore=9\r\nReceived: own\r\n\tby us\r\n"
        b"X-UUID: 1\r\nReceived: other\r\nTo: phishing@pot\r\n\r\nX-UUID: body\r\n[removed]end\r\n"
    )

    def test_marks_go_and_the_body_stays(self):
        dropped = b"Received: other\nTo: user@example.com\n\nX-UUID: body\nend\n"
        kept = b"Return-Path: <a@example.com>\nReceived: own\n\tby us\n" + dropped
        self.assertEqual(corpora.Mask("/nowhere", keep_session=True)(self.MAIL), kept)
        self.assertEqual(corpora.Mask("/nowhere", keep_session=False)(self.MAIL), dropped)

    def test_messages_without_a_header_or_a_body(self):
        mask = corpora.Mask("/nowhere", keep_session=True)
        self.assertEqual(mask(b"\nLines: 3\n\nx\n"), b"\nLines: 3\n\nx\n")
        self.assertEqual(mask(b"Lines: 3\nA: 1\n"), b"A: 1\n")
        self.assertEqual(mask(b""), b"")


if __name__ == "__main__":
    unittest.main()
