#!/usr/bin/python3
"""Shards, bits per byte and the score of an artifact by the formulas of Parameter Golf, independent of cultivar's code.
Trains a small SentencePiece model, writes a validation shard and a byte table, quantises the noise of make_golden.py and
scores it in double precision. Needs Debian's python3-torch and python3-sentencepiece:

    cd tests/train/lm/reference && /usr/bin/python3 make_score.py

writes sp1024.model, sp1024_val.bin, sp1024.bytes and golden_score.h.
"""
import io
import math
import struct

import sentencepiece
import torch

TOKENS, SEQ, ROWS, DOCUMENTS = 8192 + 101, 256, 8, 600
VOCABULARY, LAYERS, WIDTH, HEADS, KV, CAP, BASE = 1024, 3, 96, 4, 2, 30.0, 10000.0
SYLLABLES = "ba cor del fin gra hol jun kel lim mor nat pol qui ros sel tor uni ver wal xen yor zet ét ü".split()


def sample_documents():
    """tests/train/support/sample_text.h, once more."""
    state = 42

    def draw(below):
        nonlocal state
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (state >> 33) % below

    documents = []
    for number in range(DOCUMENTS):
        text = ""
        for word in range(8 + draw(10)):
            syllable = 0
            while syllable < 1 + draw(3):  # drawn anew each time, as there
                text += SYLLABLES[draw(24)]
                syllable += 1
            text += ",\n  " if word % 7 == 6 else " "
        documents.append(text + str(number) + ("\t€ 🌱" if number % 97 == 0 else "") + ".")
    return documents


def tokenizer(documents):
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=(line for text in documents for line in text.split("\n")), model_writer=model,
        model_type="bpe", vocab_size=VOCABULARY, byte_fallback=True, split_digits=True, character_coverage=0.999,
        normalization_rule_name="identity", remove_extra_whitespaces=False, num_threads=1, pad_id=0, bos_id=1, eos_id=2,
        unk_id=3, minloglevel=2)
    with open("sp1024.model", "wb") as file:
        file.write(model.getvalue())
    return sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())


def byte_table(pieces):
    table = []
    for token in range(pieces.get_piece_size()):
        if pieces.is_control(token) or pieces.is_unknown(token) or pieces.is_unused(token):
            table.append((0, False, True))
        elif pieces.is_byte(token):
            table.append((1, False, False))
        else:
            piece = pieces.id_to_piece(token)
            lead = piece.startswith("▁")
            table.append((len(piece[lead:].encode()), lead, False))
    return table


def start():
    d, kv, hidden = WIDTH, WIDTH // HEADS * KV, 2 * WIDTH
    shapes = []
    for b in range(LAYERS):
        shapes += [(f"{b}.{n}", s, 0.3) for n, s in [("q", (d, d)), ("k", (kv, d)), ("v", (kv, d)), ("out", (d, d)),
                                                      ("fc", (hidden, d)), ("proj", (d, hidden))]]
    shapes.append(("embedding", (VOCABULARY, d), 0.3))
    for b in range(LAYERS):
        shapes += [(f"{b}.{n}", s, 1.2) for n, s in [("gain", (HEADS,)), ("attn_scale", (d,)), ("mlp_scale", (d,)),
                                                      ("mix_x", (d,)), ("mix_x0", (d,))]]
    shapes.append(("skip", (LAYERS // 2, d), 1.2))
    weights = {}
    for number, (name, shape, amplitude) in enumerate(shapes):
        i = torch.arange(math.prod(shape), dtype=torch.float64)
        noise = 43758.5453 * torch.sin(12.9898 * i + number)
        values = (amplitude * (2 * (noise - noise.floor()) - 1)).float().view(shape)
        weights[name] = dequantised(values, control=amplitude == 1.2)
    return weights


def dequantised(values, control):
    if values.numel() > 65536 and values.dim() == 2:
        clip = torch.quantile(values.abs(), 0.9999984, dim=1)
        scale = (clip / 127).clamp_min(1 / 127)
        clipped = torch.maximum(torch.minimum(values, clip[:, None]), -clip[:, None])
        levels = torch.clamp(torch.round(clipped / scale[:, None]), -127, 127)
        values = levels.to(torch.int8).float() * scale.half().float()[:, None]
    elif not control:
        values = values.half()
    return values.double()


def norm(x):
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + torch.finfo(torch.float32).eps)


def rotate(x):
    half = x.shape[-1] // 2
    frequency = 1.0 / BASE ** (torch.arange(0, 2 * half, 2, dtype=torch.float64) / (2 * half))
    angle = torch.outer(torch.arange(x.shape[-2], dtype=torch.float64), frequency)
    a, b = x[..., :half], x[..., half:]
    return torch.cat((a * angle.cos() + b * angle.sin(), b * angle.cos() - a * angle.sin()), -1)


def losses(w, ids, targets):
    rows, seq = ids.shape
    x = x0 = norm(w["embedding"][ids])
    skips = []
    for layer in range(LAYERS):
        p = lambda part: w[f"{layer}.{part}"]
        split = lambda y, n: y.view(rows, seq, n, WIDTH // HEADS).transpose(1, 2)
        if layer >= LAYERS // 2 and skips:
            x = x + w["skip"][layer - LAYERS // 2] * skips.pop()
        x = p("mix_x") * x + p("mix_x0") * x0
        h = norm(x)
        q = rotate(norm(split(h @ p("q").T, HEADS))) * p("gain")[None, :, None, None]
        k = rotate(norm(split(h @ p("k").T, KV))).repeat_interleave(HEADS // KV, 1)
        v = split(h @ p("v").T, KV).repeat_interleave(HEADS // KV, 1)
        scores = (q @ k.transpose(-1, -2) / math.sqrt(WIDTH // HEADS)).masked_fill(
            torch.ones(seq, seq).triu(1).bool(), float("-inf"))
        x = x + p("attn_scale") * ((scores.softmax(-1) @ v).transpose(1, 2).reshape(rows, seq, WIDTH) @ p("out").T)
        x = x + p("mlp_scale") * (torch.relu(norm(x) @ p("fc").T).square() @ p("proj").T)
        if layer < LAYERS // 2:
            skips.append(x)
    logits = CAP * torch.tanh(norm(x) @ w["embedding"].T / CAP)
    return torch.nn.functional.cross_entropy(logits.view(-1, VOCABULARY), targets.reshape(-1), reduction="sum").item()


def main():
    torch.set_num_threads(1)
    documents = sample_documents()
    pieces = tokenizer(documents)
    table = byte_table(pieces)
    stream = [token for text in documents for token in [1] + pieces.encode(text)][:TOKENS]
    with open("sp1024_val.bin", "wb") as file:
        file.write(struct.pack("<256i", 20240520, 1, len(stream), *[0] * 253) + struct.pack(f"<{len(stream)}H", *stream))
    with open("sp1024.bytes", "wb") as file:
        file.write(b"CVBYTES1" + struct.pack("<I", len(table)) + b"".join(struct.pack("<HBB", *row) for row in table))

    targets = (len(stream) - 1) // SEQ * SEQ
    x, y = torch.tensor(stream[:targets]).view(-1, SEQ), torch.tensor(stream[1:targets + 1]).view(-1, SEQ)
    weights = start()
    total = sum(losses(weights, x[i:i + ROWS], y[i:i + ROWS]) for i in range(0, len(x), ROWS))
    size = sum(table[b][0] + (table[b][1] and not table[a][2]) for a, b in zip(stream[:targets], stream[1:targets + 1]))
    val_loss = total / targets
    with open("golden_score.h", "w", encoding="ascii") as file:
        file.write(f"""// Written by make_score.py with torch {torch.__version__} and sentencepiece {sentencepiece.__version__}.
#pragma once

#include <cstdint>

namespace cultivar {{

inline constexpr int kGoldenDocuments = {DOCUMENTS};  // of sample_text()
inline constexpr std::int64_t kGoldenTokens = {len(stream)};
inline constexpr std::int64_t kGoldenTargets = {targets}, kGoldenBytes = {size};
inline constexpr double kGoldenValLoss = {val_loss:.12g}, kGoldenValBpb = {val_loss / math.log(2) * targets / size:.12g};

}}  // namespace cultivar
""")


main()
