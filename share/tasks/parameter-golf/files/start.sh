#!/bin/sh
# start.sh: becomes the reference script of Parameter Golf, or says what this machine lacks.
lacks() {
    echo "$1" >&2
    exit 127
}
script=files/train_gpt.py
[ -f $script ] || script=files/train_gpt_mlx.py
[ -f $script ] || lacks "put train_gpt.py (or train_gpt_mlx.py) into the pool's folder files/ and commit it (see README.md)"
[ -e "$DATA_PATH" ] || lacks "there are no token shards where DATA_PATH of pool.toml says: put them there, or change it"
[ -e "$TOKENIZER_PATH" ] || lacks "there is no tokenizer where TOKENIZER_PATH of pool.toml says: put it there, or change it"
python=/opt/parameter-golf/.venv/bin/python3
[ -x $python ] || python=python3
export SEED=$((RUN_SEED % 4294967296)) # numpy takes no larger one
exec "$python" $script
