#!/usr/bin/python3
"""Optuna's journal storage with as many trials as a pool has runs, for comparison in pool_bench.

    optuna_journal.py write PATH N     a journal file with N complete trials of one study
    optuna_journal.py load PATH        loads them as a new process must; a line of JSON: trials, best, load_s

A trial holds the figures of a run's summary (24 parameters, parents, writer, seed, steps, tokens, joules, times,
digests), without the curves, traces and chunk losses that a record has. Lines are made from one that Optuna itself
wrote and appended by its own backend in batches: one at a time would take a lock and an fsync for each.
"""
import json
import random
import sys
import time

import optuna
from optuna.distributions import FloatDistribution
from optuna.storages import JournalFileStorage, JournalStorage

BATCH = 1000


def hexadecimal(draw, digits):
    return "%0*x" % (digits, draw.getrandbits(4 * digits))


def trial(draw, value):
    names = ["gene.number_%02d" % i for i in range(24)]
    return optuna.trial.create_trial(
        value=value,
        params={name: draw.uniform(0.001, 1) for name in names},
        distributions={name: FloatDistribution(0.0001, 1.0, log=True) for name in names},
        user_attrs={
            "candidate": hexadecimal(draw, 32),
            "parents": [hexadecimal(draw, 32)],
            "category": "cpu-600s-e11",
            "writer": "synthetic-%04d.box.%s" % (draw.randrange(1000), hexadecimal(draw, 8)),
            "artifact": hexadecimal(draw, 64),
            "replicate": 0,
            "seed": draw.getrandbits(48),
            "decision": "reverted",
            "operator": "tune",
            "steps": draw.randrange(1000, 3000),
            "tokens": draw.randrange(10**7, 10**8),
            "joules": round(draw.uniform(10000, 20000), 3),
            "started": "2026-01-01T01:00:00Z",
            "ended": "2026-01-01T01:10:00Z",
        },
    )


def write(path, count):
    draw = random.Random(1)
    backend = JournalFileStorage(path)
    study = optuna.create_study(storage=JournalStorage(backend), study_name="pool")
    study.add_trial(trial(draw, 3.0))
    template = backend.read_logs(0)[-1]
    logs = []
    for number in range(1, count):
        one = trial(draw, 3 + draw.gauss(0, 0.1))
        logs.append(dict(template, value=one.value, params=one.params, user_attrs=one.user_attrs))
        if len(logs) == BATCH or number + 1 == count:
            backend.append_logs(logs)
            logs = []


def load(path):
    began = time.perf_counter()
    study = optuna.load_study(storage=JournalStorage(JournalFileStorage(path)), study_name="pool")
    best, trials = study.best_value, len(study.get_trials(deepcopy=False))
    print(json.dumps({"trials": trials, "best": best, "load_s": time.perf_counter() - began}))


if __name__ == "__main__":
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    if len(sys.argv) == 4 and sys.argv[1] == "write":
        write(sys.argv[2], int(sys.argv[3]))
    elif len(sys.argv) == 3 and sys.argv[1] == "load":
        load(sys.argv[2])
    else:
        sys.exit(__doc__)
