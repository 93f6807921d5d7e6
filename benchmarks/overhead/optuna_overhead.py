#!/usr/bin/python3
"""What Optuna adds to a trial of overhead_bench's function, for comparison (Debian: python3-optuna).

    optuna_overhead.py [--known N] [--runs R] [--storage memory|journal] [--process]

Gives a study N finished trials of the function (1000), then times R more (20) with Optuna's default sampler (TPE). The
journal storage lies in a file in the temporary folder. With --process a trial starts `echo` and reads its output, as a run of
overhead_bench does, but without a sandbox. Prints a line of JSON: ms_per_run, and the ms that a new process takes to load.
"""
import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
import warnings

import optuna
from optuna.distributions import FloatDistribution
from optuna.storages import InMemoryStorage, JournalFileStorage, JournalStorage

BATCH = 1000
SPACE = {"x": FloatDistribution(0.0, 10.0), "y": FloatDistribution(0.0, 10.0)}


def known_trial(draw):
    x = 1 + 9 * draw.random()
    return optuna.trial.create_trial(value=x, params={"x": x, "y": 10 * draw.random()}, distributions=SPACE)


def fill_journal(backend, study, count):
    """One line of the journal is Optuna's own; the others are like it, since each costs a lock and an fsync otherwise."""
    draw = random.Random(7)
    study.add_trial(known_trial(draw))
    template = backend.read_logs(0)[-1]
    for begin in range(1, count, BATCH):
        trials = [known_trial(draw) for _ in range(begin, min(begin + BATCH, count))]
        backend.append_logs([dict(template, value=one.value, params=one.params) for one in trials])


def distance(trial):
    x, _ = trial.suggest_float("x", 0.0, 10.0), trial.suggest_float("y", 0.0, 10.0)
    return x


def distance_of_process(trial):
    words = ["echo", f"METRIC distance={distance(trial)}"]
    return float(subprocess.run(words, capture_output=True, check=True).stdout.split(b"=")[1])


def measure(options, folder):
    journal = options.storage == "journal"
    backend = JournalFileStorage(os.path.join(folder, "journal.log"))
    storage = JournalStorage(backend) if journal else InMemoryStorage()
    study = optuna.create_study(storage=storage, study_name="overhead", sampler=optuna.samplers.TPESampler(seed=1))
    load_s = 0.0
    if journal and options.known:
        fill_journal(backend, study, options.known)
        began = time.perf_counter()
        study = optuna.load_study(
            storage=JournalStorage(backend), study_name="overhead", sampler=optuna.samplers.TPESampler(seed=1)
        )
        study.get_trials(deepcopy=False)
        load_s = time.perf_counter() - began
    elif options.known:
        draw = random.Random(7)
        study.add_trials([known_trial(draw) for _ in range(options.known)])
    function = distance_of_process if options.process else distance
    study.optimize(function, n_trials=1)
    began = time.perf_counter()
    study.optimize(function, n_trials=options.runs)
    run_s = (time.perf_counter() - began) / options.runs
    return {
        "storage": options.storage,
        "known": options.known,
        "process": options.process,
        "ms_per_run": round(1e3 * run_s, 3),
        "load_ms": round(1e3 * load_s, 1),
    }


def main():
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--known", type=int, default=1000)
    words.add_argument("--runs", type=int, default=20)
    words.add_argument("--storage", choices=["memory", "journal"], default="memory")
    words.add_argument("--process", action="store_true")
    options = words.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(measure(options, folder)))


if __name__ == "__main__":
    sys.exit(main())
