"""Scores texts by fastText: for each fold, a model that learns from the other folds and is quantised to a size.

Reads JSON from standard input: "texts", "spam" (0 or 1), "fold" (a number for each text), "folds", "bytes". Writes JSON:
"scores" (log-odds of spam, one for each text) and "bytes" (the size of the largest model).

fastText reads words between spaces: punctuation is separated and letters are small, as in its own tutorial.
"""

import json
import math
import os
import re
import sys
import tempfile

import fasttext

# The best of those that were tried on these texts.
SETTINGS = {"lr": 0.5, "epoch": 25, "wordNgrams": 2, "minn": 2, "maxn": 5, "dim": 16, "loss": "softmax"}
# Deterministic: one thread, and a seed.
FIXED = {"thread": 1, "seed": 1, "verbose": 0}
# Rows of the quantised matrix: these make 127 KiB. Fewer are tried, if that is too large.
ROWS = 6_150


def words(text):
    return re.sub(r"([.!?,'/()\-:;*&])", r" \1 ", text.lower()).replace("\n", " ")


def train(path, rows):
    model = fasttext.train_supervised(path, bucket=200_000, **SETTINGS, **FIXED)
    model.quantize(input=path, cutoff=rows, retrain=True, qnorm=True, dsub=2, epoch=SETTINGS["epoch"], lr=SETTINGS["lr"], thread=1)
    return model


def size_of(model, folder):
    path = os.path.join(folder, "model.ftz")
    model.save_model(path)
    return os.path.getsize(path)


def score(model, text):
    # Not model.predict: with NumPy 2 it fails.
    found = {label: probability for probability, label in model.f.predict(words(text) + "\n", 2, 0.0, "strict")}
    spam, ham = (min(1.0, max(1e-12, found.get(label, 0.0))) for label in ("__label__spam", "__label__ham"))
    return math.log(spam) - math.log(ham)


def main():
    given = json.load(sys.stdin)
    texts, spam, folds = given["texts"], given["spam"], given["fold"]
    scores = [0.0] * len(texts)
    rows, largest = ROWS, 0
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "train.txt")
        for fold in range(given["folds"]):
            with open(path, "w", encoding="utf-8") as file:
                for text, is_spam, own in zip(texts, spam, folds):
                    if own != fold:
                        file.write(f"__label__{'spam' if is_spam else 'ham'} {words(text)}\n")
            model = train(path, rows)
            while size_of(model, folder) > given["bytes"]:
                rows = int(rows * 0.95)
                model = train(path, rows)
            largest = max(largest, size_of(model, folder))
            for at, own in enumerate(folds):
                if own == fold:
                    scores[at] = score(model, texts[at])
    json.dump({"scores": scores, "bytes": largest}, sys.stdout)


main()
