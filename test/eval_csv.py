#!/usr/bin/env python3
"""eval_csv.py JSON LABELS - what `thorax eval A.csv B.csv .. --json` printed, recomputed from the same files by scikit-learn
(AUC) and by DeLong's definition over all pairs of a positive and a negative (numpy, scipy's normal distribution).

Run by hand. LABELS has a row a study. Prints a line a comparison of a task, as check_eval_csv.sh has them: the models'
numbers (the ensemble's is the last), the task, both AUCs, difference, standard error, p; then the largest absolute distance
to JSON. Paths are compared by their folders patient../study.., and a study's score is the largest of its rows; the
ensemble's is the mean of the models'."""
import csv
import json
import re
import sys

import numpy
from scipy.stats import norm
from sklearn.metrics import roc_auc_score


def key(path):
    return re.search(r"patient[^/]*/study[^/]*", path).group()


def plain(name):
    name = name.lower().replace("_", " ")
    return "pleural effusion" if name == "effusion" else name


def read(path):
    """{plain task: {study: largest number}}"""
    table = {}
    for row in csv.DictReader(open(path, newline="")):
        study = key(row.get("Path") or row["Study"])
        for name, cell in row.items():
            try:
                value = float(cell)
            except ValueError:
                continue
            column = table.setdefault(plain(name), {})
            column[study] = max(column.get(study, -numpy.inf), value)
    return table


def placements(score, label):
    """Shares of the other class on the right side, of each positive and each negative."""
    positive, negative = score[label == 1][:, None], score[label == 0][None]
    right = (positive > negative) + 0.5 * (positive == negative)
    return right.mean(1), right.mean(0)


def delong(label, a, b):
    (a1, a0), (b1, b0) = placements(a, label), placements(b, label)
    covariance = numpy.cov([a1, b1]) / len(a1) + numpy.cov([a0, b0]) / len(a0)
    se = numpy.sqrt(max(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1], 0))
    difference = a1.mean() - b1.mean()
    return difference, se, 2 * norm.sf(abs(difference) / se) if se > 1e-9 else numpy.nan


def main():
    said, labels = json.load(open(sys.argv[1])), read(sys.argv[2])
    names = [m["model"] for m in said["models"] if m["model"] != "ensemble"]
    tables = {name: read(name) for name in names}
    worst = 0.0
    for c in said["comparisons"]:
        if "tasks" in c:
            continue
        task = plain(c["task"])
        studies = [s for s, v in labels[task].items() if v >= 0]
        label = numpy.array([labels[task][s] for s in studies])
        if not 0 < label.sum() < len(label):
            continue
        score = {name: numpy.array([tables[name][task][s] for s in studies]) for name in names if task in tables[name]}
        score["ensemble"] = sum(score.values()) / len(score)
        a, b = score[c["a"]], score[c["b"]]
        values = [roc_auc_score(label, a), roc_auc_score(label, b), *delong(label, a, b)]
        for name, value in zip(("auc_a", "auc_b", "difference", "se", "p"), values):
            found = numpy.nan if c[name] is None else c[name]
            assert numpy.isnan(found) == numpy.isnan(value), (c, name, value)
            if not numpy.isnan(value):
                worst = max(worst, abs(found - value))
        number = [*names, "ensemble"].index
        print(number(c["a"]) + 1, number(c["b"]) + 1, c["task"].replace(" ", "_"), *(f"{v:.17g}" for v in values))
    print("largest distance", worst, file=sys.stderr)


main()
