#!/bin/sh
# start.sh: becomes the candidate's train.py, or says what this machine lacks.
lacks() {
    echo "$1" >&2
    exit 127
}
[ -f src/train.py ] || lacks "put autoresearch's train.py into the pool's folder src/ and commit it (see README.md)"
[ -f files/prepare.py ] || lacks "put autoresearch's prepare.py into the pool's folder files/ and commit it (see README.md)"
[ -d "$HOME" ] || lacks "there is no folder of data where HOME of pool.toml says: put it there, or change it"
python=$HOME/.venv/bin/python3
[ -x "$python" ] || python=python3
exec "$python" src/train.py
