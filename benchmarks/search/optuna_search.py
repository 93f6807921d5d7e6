#!/usr/bin/python3
"""The measurements of search_bench for Optuna's TPE: the same tables, protocol and lines of JSON.

    optuna_search.py [--evaluations N] [--repeats R] [--workers W] [--method M] FILE...

Methods: optuna (TPE with the defaults of that version), optuna-multivariate (the default of Optuna 5: multivariate, and
with several workers the constant liar). Needs Optuna (Debian: python3-optuna); without it, prints so and exits with 77.
An ordered parameter is an integer, the others are categorical. Optuna cannot leave a configuration out: one without a
row is reported as failed and does not count. The published score is the best mean of a configuration that ran.
"""
import argparse
import gzip
import heapq
import json
import math
import os
import random
import statistics
import sys
import time
import warnings

try:
    import optuna
except ImportError:
    print("optuna_search.py: there is no Optuna here; on Debian: apt-get install python3-optuna", file=sys.stderr)
    sys.exit(77)

CHECKPOINTS = (10, 25, 50, 100, 200)
SPEED_SIGMA = 0.5
RESAMPLES = 2000
METHODS = ("optuna", "optuna-multivariate")


class Table:
    def __init__(self, path):
        self.name = os.path.basename(path).split(".csv")[0]
        with (gzip.open if path.endswith(".gz") else open)(path, "rt") as lines:
            header = [field.split(":") for field in next(lines).strip().split(",")]
            self.parameters = [(kind, int(levels)) for _, kind, levels in (f for f in header if len(f) == 3)]
            self.losses = {}
            for line in lines:
                fields = line.strip().split(",")
                losses = [float(text) for text in fields[len(self.parameters) :] if text]
                losses = [loss for loss in losses if math.isfinite(loss)]
                if losses:
                    self.losses[tuple(map(int, fields[: len(self.parameters)]))] = losses
        self.means = {row: sum(losses) / len(losses) for row, losses in self.losses.items()}
        ordered = sorted(self.means.values())
        self.best, self.median = ordered[0], ordered[len(ordered) // 2]

    def ask(self, trial):
        row = []
        for index, (kind, levels) in enumerate(self.parameters):
            name = "p%02d" % index
            if kind == "ord":
                row.append(trial.suggest_int(name, 0, levels - 1))
            else:
                row.append(trial.suggest_categorical(name, list(range(levels))))
        return tuple(row)

    def regret(self, row):
        return (self.means[row] - self.best) / (self.median - self.best)


def checkpoints(evaluations):
    return [point for point in CHECKPOINTS if point < evaluations] + [evaluations]


def sampler(method, seed, workers):
    if method == "optuna":
        return optuna.samplers.TPESampler(seed=seed)
    return optuna.samplers.TPESampler(seed=seed, multivariate=True, constant_liar=workers > 1)


def search(table, options, seed):
    luck = random.Random(seed)
    study = optuna.create_study(sampler=sampler(options.method, seed, options.workers))
    points, regrets, running, ran, launched = checkpoints(options.evaluations), [], [], {}, set()
    launches = duplicates = done = tries = 0
    propose_s = now_s = 0.0
    while len(regrets) < len(points):
        while len(running) < options.workers and launches < options.evaluations:
            began_s = time.process_time()
            trial = study.ask()
            row = table.ask(trial)
            propose_s += time.process_time() - began_s
            tries += 1
            if row not in table.losses:
                study.tell(trial, state=optuna.trial.TrialState.FAIL)
                continue
            launches += 1
            duplicates += row in launched
            launched.add(row)
            heapq.heappush(running, (now_s + math.exp(SPEED_SIGMA * luck.gauss(0, 1)), launches, trial, row))
        now_s, _, trial, row = heapq.heappop(running)
        loss = luck.choice(table.losses[row])
        study.tell(trial, loss)
        ran.setdefault(row, []).append(loss)
        done += 1
        if done == points[len(regrets)]:
            best = min(ran, key=lambda one: sum(ran[one]) / len(ran[one]))
            regrets.append(table.regret(best))
    return regrets, duplicates / launches, 1000 * propose_s / tries


def interval(values):
    draw = random.Random(1)
    means = sorted(statistics.fmean(draw.choices(values, k=len(values))) for _ in range(RESAMPLES))
    low, high = means[int(0.025 * (RESAMPLES - 1))], means[int(0.975 * (RESAMPLES - 1))]
    return {"mean": statistics.fmean(values), "lo": low, "hi": high}


def measure(table, options):
    searches = [search(table, options, seed) for seed in range(options.repeats)]
    points = checkpoints(options.evaluations)
    return {
        "table": table.name,
        "method": options.method,
        "workers": options.workers,
        "repeats": options.repeats,
        "regret": {str(point): interval([one[0][i] for one in searches]) for i, point in enumerate(points)},
        "duplicates": statistics.fmean(one[1] for one in searches),
        "propose_ms": statistics.fmean(one[2] for one in searches),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--evaluations", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=30)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--method", choices=METHODS, default="optuna-multivariate")
    parser.add_argument("files", nargs="+", metavar="FILE")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    for path in options.files:
        print(json.dumps(measure(Table(path), options)), flush=True)


if __name__ == "__main__":
    main()
