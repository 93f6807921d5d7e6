"""Trains a network that reads handwritten digits (the 1,797 digits that come with scikit-learn) and prints its accuracy.

Some settings come as arguments, some from the environment, as a script of your own may have them.
"""
import argparse
import os
import sys

try:
    import numpy
    from sklearn.datasets import load_digits
    from sklearn.neural_network import MLPClassifier
except ImportError as missing:
    sys.exit(f"{missing}: install the package python3-sklearn")

EPOCHS = 12
VALIDATION_DIGITS = 600

words = argparse.ArgumentParser()
words.add_argument("--lr", type=float, default=1e-3)
words.add_argument("--hidden", type=int, default=16)
words.add_argument("--seed", type=int, default=0)
args = words.parse_args()

digits = load_digits()
order = numpy.random.RandomState(1).permutation(len(digits.target))
pixels, names = digits.data[order] / 16, digits.target[order]
train, valid = slice(VALIDATION_DIGITS, None), slice(VALIDATION_DIGITS)

model = MLPClassifier(
    hidden_layer_sizes=(args.hidden,),
    activation=os.environ.get("ACTIVATION", "relu"),
    alpha=float(os.environ.get("WEIGHT_DECAY", "1e-4")),
    learning_rate_init=args.lr,
    batch_size=64,
    random_state=args.seed % 2**32,
)
for epoch in range(1, EPOCHS + 1):
    model.partial_fit(pixels[train], names[train], classes=range(10))
    print(f"epoch {epoch} accuracy: {model.score(pixels[valid], names[valid]):.4f}", flush=True)
