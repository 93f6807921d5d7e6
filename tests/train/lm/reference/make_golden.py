#!/usr/bin/python3
"""An independent implementation of the model and its optimizers in plain PyTorch, written from the formulas of Parameter
Golf, and the numbers that cultivar-lm's tests compare with. Needs Debian's python3-torch:

    /usr/bin/python3 tests/train/lm/reference/make_golden.py > tests/train/lm/reference/golden.h

Weights are noise that both sides can make without a file: the fraction of 43758.5453 * sin(12.9898 * i + number of the
tensor), spread over +-amplitude.
"""
import math

import torch
import torch.nn.functional as F

VOCABULARY, SEQ, ROWS = 40, 16, 2
CASES = {
    "baseline": dict(layers=5, width=32, heads=4, kv=2, mlp="relu2", sharing="none", unique=5, tied=True),
    "untied_swiglu_cyclic": dict(layers=4, width=24, heads=2, kv=1, mlp="swiglu", sharing="cyclic", unique=2, tied=False),
    "gelu_mirrored": dict(layers=5, width=32, heads=4, kv=4, mlp="gelu", sharing="mirrored", unique=2, tied=True),
}
CAP, BASE, STEPS = 30.0, 10000.0, 10


def names_and_shapes(c):
    d, kv, hidden = c["width"], c["width"] // c["heads"] * c["kv"], 2 * c["width"]
    blocks = max(block_of(c, i) for i in range(c["layers"])) + 1
    for b in range(blocks):
        for part, shape in [("attn.c_q.weight", (d, d)), ("attn.c_k.weight", (kv, d)), ("attn.c_v.weight", (kv, d)),
                            ("attn.proj.weight", (d, d)), ("mlp.fc.weight", (hidden, d)),
                            ("mlp.gate.weight", (hidden, d)), ("mlp.proj.weight", (d, hidden))]:
            if part != "mlp.gate.weight" or c["mlp"] == "swiglu":
                yield f"blocks.{b}.{part}", shape
    yield "tok_emb.weight", (VOCABULARY, d)
    if not c["tied"]:
        yield "lm_head.weight", (VOCABULARY, d)
    for b in range(blocks):
        for part, shape in [("attn.q_gain", (c["heads"],)), ("attn_scale", (d,)), ("mlp_scale", (d,)),
                            ("resid_mix.x", (d,)), ("resid_mix.x0", (d,))]:
            yield f"blocks.{b}.{part}", shape
    if c["layers"] > 1:
        yield "skip_weights", (c["layers"] // 2, d)


def block_of(c, layer):
    if c["sharing"] == "cyclic":
        return layer % c["unique"]
    if c["sharing"] == "mirrored":
        return min(layer, c["layers"] - 1 - layer) % c["unique"]
    return layer


def start(c):
    weights = {}
    for number, (name, shape) in enumerate(names_and_shapes(c)):
        i = torch.arange(math.prod(shape), dtype=torch.float64)
        amplitude = 1.2 if len(shape) == 1 or name == "skip_weights" else 0.3
        noise = 43758.5453 * torch.sin(12.9898 * i + number)
        noise = 2 * (noise - noise.floor()) - 1
        weights[name] = (amplitude * noise).to(torch.float32).view(shape).requires_grad_()
    return weights


def norm(x):
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + torch.finfo(torch.float32).eps)


def rotate(x):
    half = x.shape[-1] // 2
    frequency = 1.0 / BASE ** (torch.arange(0, 2 * half, 2, dtype=torch.float32) / (2 * half))
    angle = torch.outer(torch.arange(x.shape[-2], dtype=torch.float32), frequency)
    a, b = x[..., :half], x[..., half:]
    return torch.cat((a * angle.cos() + b * angle.sin(), b * angle.cos() - a * angle.sin()), -1)


def forward(c, w, ids, targets):
    d, heads, kv = c["width"], c["heads"], c["kv"]
    x = x0 = norm(w["tok_emb.weight"][ids])
    skips, half = [], c["layers"] // 2
    for layer in range(c["layers"]):
        p = lambda part: w[f"blocks.{block_of(c, layer)}.{part}"]
        if layer >= half and skips:
            x = x + w["skip_weights"][layer - half] * skips.pop()
        x = p("resid_mix.x") * x + p("resid_mix.x0") * x0
        h = norm(x)
        split = lambda y, n: y.view(ROWS, SEQ, n, d // heads).transpose(1, 2)
        q = rotate(norm(split(h @ p("attn.c_q.weight").T, heads))) * p("attn.q_gain")[None, :, None, None]
        k = rotate(norm(split(h @ p("attn.c_k.weight").T, kv))).repeat_interleave(heads // kv, 1)
        v = split(h @ p("attn.c_v.weight").T, kv).repeat_interleave(heads // kv, 1)
        scores = q @ k.transpose(-1, -2) / math.sqrt(d // heads)
        scores = scores.masked_fill(torch.ones(SEQ, SEQ).triu(1).bool(), float("-inf"))
        y = (scores.softmax(-1) @ v).transpose(1, 2).reshape(ROWS, SEQ, d)
        x = x + p("attn_scale") * (y @ p("attn.proj.weight").T)
        h = norm(x)
        up = h @ p("mlp.fc.weight").T
        if c["mlp"] == "relu2":
            up = torch.relu(up).square()
        elif c["mlp"] == "gelu":
            up = F.gelu(up)
        else:
            up = F.silu(h @ p("mlp.gate.weight").T) * up
        x = x + p("mlp_scale") * (up @ p("mlp.proj.weight").T)
        if layer < half:
            skips.append(x)
    logits = norm(x) @ w["tok_emb.weight" if c["tied"] else "lm_head.weight"].T
    return F.cross_entropy((CAP * torch.tanh(logits / CAP)).view(-1, VOCABULARY), targets.view(-1))


def orthogonal(g, steps=5):
    x = g / (g.norm() + 1e-7)
    if g.shape[0] > g.shape[1]:
        x = x.T
    for _ in range(steps):
        a = x @ x.T
        x = 3.4445 * x + (-4.7750 * a + 2.0315 * a @ a) @ x
    return x.T if g.shape[0] > g.shape[1] else x


def train(c, ids, targets):
    w = start(c)
    matrices = [n for n, t in w.items() if n.startswith("blocks.") and t.dim() == 2]
    buffers = {n: torch.zeros_like(w[n]) for n in matrices}
    rates = {"tok_emb.weight": 0.05 if c["tied"] else 0.6, "lm_head.weight": 0.008}
    adam = torch.optim.Adam([dict(params=[t], lr=rates.get(n, 0.04)) for n, t in w.items() if n not in matrices],
                            betas=(0.9, 0.95), eps=1e-8)
    losses, gradients = [], {}
    for step in range(STEPS):
        adam.zero_grad()
        for n in matrices:
            w[n].grad = None
        loss = forward(c, w, ids, targets)
        loss.backward()
        losses.append(loss.item())
        if step == 0:
            gradients = {n: t.grad.norm().item() for n, t in w.items()}
        torch.nn.utils.clip_grad_norm_(w.values(), 1.0)
        momentum = 0.85 + 0.1 * min(step / 4, 1)
        with torch.no_grad():
            for n in matrices:
                buffers[n].mul_(momentum).add_(w[n].grad)
                update = orthogonal(w[n].grad + momentum * buffers[n])
                w[n] -= 0.04 * max(1, w[n].shape[0] / w[n].shape[1]) ** 0.5 * update
        adam.step()
    return losses, gradients


def main():
    torch.set_num_threads(1)
    tokens = torch.tensor([(7 * i * i + 3 * i + 1) % VOCABULARY for i in range(ROWS * SEQ + 1)])
    ids, targets = tokens[:-1].view(ROWS, SEQ), tokens[1:].view(ROWS, SEQ)
    print("// Written by make_golden.py with torch", torch.__version__ + ".")
    print("#pragma once\n\n#include <map>\n#include <string>\n#include <vector>\n\nnamespace cultivar {\n")
    print("struct Golden {\n    std::vector<double> losses;                      // before each step")
    print("    std::map<std::string, double> gradient_norms;  // at the first step, before clipping\n};\n")
    print("inline const std::map<std::string, Golden> kGolden{")
    for name, c in CASES.items():
        losses, gradients = train(c, ids, targets)
        print(f'    {{"{name}",\n     {{{{' + ", ".join(f"{x:.7f}" for x in losses) + "},\n      {")
        print(",\n       ".join(f'{{"{n}", {g:.6e}}}' for n, g in gradients.items()) + "}}},")
    print("};\n\n}  // namespace cultivar")


main()
