#!/usr/bin/python3
"""Several clones search one pool at once: is a run lost, and how many candidates are tried again, and why?

    clones_bench.py PROGRAM [--clones N] [--runs R] [--round K] [--noise]

Founds a pool with an instant command (awk, a bowl over two real genes) and N clones of it (4), which explore side by side in
rounds of K runs (10), R in all (1000); each round begins with a pull and ends with a push. Without --noise the task says
that a second run of a candidate scores alike. Reads the journals by a fresh clone, and prints a line of JSON: the runs that
the clones say they made, those in the pool, those lost, the runs of a candidate that ran before by the operator that chose
them, and seconds. A replicate and an import repeat on purpose: to learn the noise, and because nothing is built on a score
that nobody verified. A repeated tune, switch or cross is an accident: a clone knew nothing of another's run.
"""
import argparse
import collections
import json
import os
import subprocess
import sys
import tempfile
import time

TASK = """metric = "distance"
NOISE
[command]
run = ["awk", "BEGIN { print \\"METRIC distance=\\" ({gene.x} - 3) ^ 2 + ({gene.y} - 6) ^ 2 }"]
score = { metric = "distance" }
[gene.x]
type = "real"
default = 9.0
range = [0.0, 10.0]
[gene.y]
type = "real"
default = 9.0
range = [0.0, 10.0]
"""


class World:
    """A hosting and programs in a folder of their own."""

    def __init__(self, program, folder, noise):
        self.program, self.folder = program, folder
        self.environment = dict(os.environ, HOME=folder, XDG_CONFIG_HOME=folder, XDG_STATE_HOME=folder,
                                GIT_CONFIG_NOSYSTEM="1")
        self.hosting = os.path.join(folder, "hosting.git")
        subprocess.run(["git", "init", "--quiet", "--bare", self.hosting], check=True, env=self.environment)
        with open(os.path.join(folder, "task.toml"), "w", encoding="utf-8") as file:
            file.write(TASK.replace("NOISE", "" if noise else "noise = \"none\""))
        self.call("init", "founder", "--task", "task.toml", "--budget", "2s", "--remote", self.hosting)
        self.call("-C", "founder", "propose")

    def start(self, *words):
        return subprocess.Popen([self.program, "--json", *words], cwd=self.folder, env=self.environment,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def call(self, *words):
        return finish(self.start(*words))

    def join(self, name):
        self.environment["CULTIVAR_NAME"] = name
        self.call("clone", self.hosting, name)
        del self.environment["CULTIVAR_NAME"]


def finish(process):
    out, err = process.communicate()
    if process.returncode != 0:
        sys.exit(f"{' '.join(process.args)}: exit code {process.returncode}: {err.strip()[-500:]}")
    return json.loads(out)


def explore(world, names, runs, each):
    """The ids of the runs that the clones say they made."""
    made = []
    left = runs
    while left > 0:
        counts = [min(each, max(0, left - each * place)) for place in range(len(names))]
        rounds = [world.start("-C", name, "explore", "--runs", str(count), "--propose")
                  for name, count in zip(names, counts) if count > 0]
        for process in rounds:
            made += [run["id"] for run in finish(process)["runs"]]
        left -= sum(counts)
    return made


def repeated(runs):
    """The runs of a candidate that ran before, by the operator that chose them, in the order of their times."""
    known, counts = set(), collections.Counter()
    for run in sorted(runs, key=lambda run: run["ended"]):
        if run["candidate"] in known:
            counts[run["operator"]] += 1
        known.add(run["candidate"])
    return dict(counts)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    for name, default in (("clones", 4), ("runs", 1000), ("round", 10)):
        parser.add_argument("--" + name, type=int, default=default)
    parser.add_argument("--noise", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        world = World(os.path.abspath(options.program), folder, options.noise)
        names = [f"clone{number}" for number in range(options.clones)]
        for name in names:
            world.join(name)
            world.call("-C", name, "trust")
        begun_s = time.monotonic()
        made = explore(world, names, options.runs, options.round)
        seconds = time.monotonic() - begun_s
        world.join("reader")
        runs = world.call("-C", "reader", "log", "-n", str(10 * options.runs))["runs"]
        lost = set(made) - {run["id"] for run in runs}
        print(json.dumps({"clones": options.clones, "made": len(made), "in_pool": len(runs), "lost": len(lost),
                          "repeated": repeated(runs), "seconds": round(seconds, 1)}))


if __name__ == "__main__":
    main()
