#!/usr/bin/python3
"""An independent implementation of the model and its optimizers in plain PyTorch, written from the formulas of Parameter
Golf and of the papers that the genes name, and the numbers that cultivar-lm's tests compare with. Needs Debian's
python3-torch:

    /usr/bin/python3 tests/train/lm/reference/make_golden.py > tests/train/lm/reference/golden.h

Weights are noise that both sides can make without a file: the fraction of 43758.5453 * sin(12.9898 * i + number of the
tensor), spread over +-amplitude. Each case is a set of genes; ten steps on one batch, on a clock that is made up.
"""
import math

import torch
import torch.nn.functional as F

VOCABULARY, SEQ, ROWS, STEPS, BUDGET_S = 40, 16, 2, 10, 8.0

DEFAULTS = {
    "model.layers": 5, "model.width": 32, "model.heads": 4, "model.kv_heads": 2, "model.mlp": "relu2",
    "model.mlp_mult": 2, "model.sharing": "none", "model.unique_layers": 2, "model.tied_embedding": True,
    "model.rope_base": 10000.0, "model.rope_share": 1.0, "model.qk_norm": True, "model.logit_softcap": 30.0,
    "model.norm_placement": "pre", "model.unet_skips": True, "model.resid_mix": True, "model.value_residual": False,
    "model.smear_gate": False, "model.bigram_buckets": 0, "model.bigram_width": 16,
    "optim.method": "muon", "optim.matrix_lr": 0.04, "optim.matrix_adam_lr": 0.002, "optim.scalar_lr": 0.04,
    "optim.tied_embed_lr": 0.05, "optim.embed_lr": 0.6, "optim.head_lr": 0.008, "optim.muon_momentum": 0.95,
    "optim.muon_momentum_start": 0.85, "optim.muon_momentum_warmup_steps": 4, "optim.muon_steps": 5,
    "optim.beta1": 0.9, "optim.beta2": 0.95, "optim.adam_eps": 1e-8, "optim.matrix_decay": 0.0,
    "optim.embed_decay": 0.0, "optim.grad_clip": 1.0, "optim.averaging": "none", "optim.ema_decay": 0.8,
    "optim.swa_share": 0.4, "schedule.warmup_steps": 0, "schedule.warmdown": "steps", "schedule.warmdown_steps": 4,
    "schedule.warmdown_share": 0.5, "schedule.min_rate": 0.0,
}
CASES = {
    "baseline": {},
    "untied_swiglu_cyclic": {"model.layers": 4, "model.width": 24, "model.heads": 2, "model.kv_heads": 1,
                             "model.mlp": "swiglu", "model.sharing": "cyclic", "model.tied_embedding": False},
    "gelu_mirrored": {"model.kv_heads": 4, "model.mlp": "gelu", "model.sharing": "mirrored"},
    "one_wide_layer": {"model.layers": 1, "model.width": 48, "model.mlp_mult": 3, "model.logit_softcap": 10.0},
    "no_qk_norm": {"model.qk_norm": False},
    "partial_rope": {"model.rope_share": 0.5, "model.rope_base": 100.0},
    "no_positions": {"model.rope_share": 0.0},
    "no_unet_skips": {"model.unet_skips": False},
    "no_resid_mix": {"model.resid_mix": False},
    "value_residual": {"model.value_residual": True},
    "smear_gate": {"model.smear_gate": True},
    "bigram": {"model.bigram_buckets": 512},
    "sandwich_norms": {"model.norm_placement": "sandwich"},
    "post_norms": {"model.norm_placement": "post"},
    "post_norms_without_mix": {"model.norm_placement": "post", "model.resid_mix": False},
    "all_at_once": {"model.layers": 6, "model.mlp": "swiglu", "model.sharing": "mirrored", "model.unique_layers": 3,
                    "model.tied_embedding": False, "model.rope_share": 0.5, "model.qk_norm": False,
                    "model.norm_placement": "sandwich", "model.value_residual": True, "model.smear_gate": True,
                    "model.bigram_buckets": 512, "optim.matrix_decay": 0.1, "optim.averaging": "ema"},
    "adamw": {"optim.method": "adamw", "optim.matrix_decay": 0.5, "optim.embed_decay": 0.2},
    "muon_with_decay": {"optim.matrix_decay": 0.5, "optim.embed_decay": 0.2, "optim.muon_steps": 3,
                        "optim.muon_momentum": 0.9, "optim.muon_momentum_start": 0.5,
                        "optim.muon_momentum_warmup_steps": 8},
    "adam_settings": {"optim.beta1": 0.8, "optim.beta2": 0.99, "optim.adam_eps": 0.0001, "optim.grad_clip": 0.0,
                      "optim.scalar_lr": 0.02, "optim.tied_embed_lr": 0.02, "optim.matrix_lr": 0.02},
    "ema": {"optim.averaging": "ema"},
    "swa": {"optim.averaging": "swa"},
    "warm_up_and_minimum": {"schedule.warmup_steps": 5, "schedule.min_rate": 0.2},
    "warmdown_by_share": {"schedule.warmdown": "share"},
}


def tensors(c):
    """Name, shape and kind of each parameter, in the order of their numbers."""
    d, hidden = c["model.width"], c["model.width"] * c["model.mlp_mult"]
    kv = d // c["model.heads"] * c["model.kv_heads"]
    blocks = max(block_of(c, i) for i in range(c["model.layers"])) + 1
    for b in range(blocks):
        parts = {"attn.c_q": (d, d), "attn.c_k": (kv, d), "attn.c_v": (kv, d), "attn.proj": (d, d),
                 "mlp.fc": (hidden, d), "mlp.gate": (hidden, d), "mlp.proj": (d, hidden)}
        if c["model.mlp"] != "swiglu":
            del parts["mlp.gate"]
        yield from ((f"blocks.{b}.{part}.weight", shape, "matrix") for part, shape in parts.items())
    yield "tok_emb.weight", (VOCABULARY, d), "embedding"
    if c["model.bigram_buckets"]:
        yield "bigram.weight", (c["model.bigram_buckets"], c["model.bigram_width"]), "embedding"
        yield "bigram.proj.weight", (d, c["model.bigram_width"]), "embedding"
    if not c["model.tied_embedding"]:
        yield "lm_head.weight", (VOCABULARY, d), "head"
    for b in range(blocks):
        if c["model.qk_norm"]:
            yield f"blocks.{b}.attn.q_gain", (c["model.heads"],), "scalar"
        if c["model.value_residual"]:
            yield f"blocks.{b}.attn.value_mix", (2,), "scalar"
        yield f"blocks.{b}.attn_scale", (d,), "scalar"
        yield f"blocks.{b}.mlp_scale", (d,), "scalar"
        if c["model.resid_mix"]:
            yield f"blocks.{b}.resid_mix.x", (d,), "scalar"
            yield f"blocks.{b}.resid_mix.x0", (d,), "scalar"
    if c["model.unet_skips"] and c["model.layers"] > 1:
        yield "skip_weights", (c["model.layers"] // 2, d), "scalar"
    if c["model.smear_gate"]:
        yield "smear_gate", (d,), "scalar"


def block_of(c, layer):
    if c["model.sharing"] == "cyclic":
        return layer % c["model.unique_layers"]
    if c["model.sharing"] == "mirrored":
        return min(layer, c["model.layers"] - 1 - layer) % c["model.unique_layers"]
    return layer


def noise(shape, number, amplitude):
    i = torch.arange(math.prod(shape), dtype=torch.float64)
    values = 43758.5453 * torch.sin(12.9898 * i + number)
    return (amplitude * (2 * (values - values.floor()) - 1)).to(torch.float32).view(shape)


def start(c):
    return {name: noise(shape, number, 1.2 if kind == "scalar" else 0.3).requires_grad_()
            for number, (name, shape, kind) in enumerate(tensors(c))}


def norm(x):
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + torch.finfo(torch.float32).eps)


def rotate(c, x):
    half = x.shape[-1] // 2
    turned = round(c["model.rope_share"] * half)
    angle = torch.zeros(SEQ, half)
    if turned:
        frequency = 1.0 / c["model.rope_base"] ** (torch.arange(0, turned, dtype=torch.float32) / turned)
        angle[:, :turned] = torch.outer(torch.arange(SEQ, dtype=torch.float32), frequency)
    a, b = x[..., :half], x[..., half:]
    return torch.cat((a * angle.cos() + b * angle.sin(), b * angle.cos() - a * angle.sin()), -1)


def embed(c, w, ids):
    x = w["tok_emb.weight"][ids]
    if c["model.bigram_buckets"]:
        last = c["model.bigram_buckets"] - 1
        pairs = torch.full_like(ids, last)
        pairs[:, 1:] = ((36313 * ids[:, 1:]) ^ (27191 * ids[:, :-1])) % last
        x = x + w["bigram.weight"][pairs] @ w["bigram.proj.weight"].T
    x = norm(x)
    if c["model.smear_gate"]:
        gate = torch.sigmoid(w["smear_gate"])
        x = (1 - gate) * x + gate * F.pad(x, (0, 0, 1, 0))[:, :-1]
    return x


def attention(c, p, h, first_values):
    d, heads, kv = c["model.width"], c["model.heads"], c["model.kv_heads"]
    split = lambda part, n: (h @ p(part).T).view(ROWS, SEQ, n, d // heads).transpose(1, 2)
    q, k, v = split("attn.c_q.weight", heads), split("attn.c_k.weight", kv), split("attn.c_v.weight", kv)
    if first_values is None:
        first_values = v
    elif c["model.value_residual"]:
        mix = p("attn.value_mix")
        v = mix[0] * v + mix[1] * first_values
    if c["model.qk_norm"]:
        q, k = norm(q) * p("attn.q_gain")[None, :, None, None], norm(k)
    q, k = rotate(c, q), rotate(c, k).repeat_interleave(heads // kv, 1)
    scores = q @ k.transpose(-1, -2) / math.sqrt(d // heads)
    scores = scores.masked_fill(torch.ones(SEQ, SEQ).triu(1).bool(), float("-inf"))
    y = (scores.softmax(-1) @ v.repeat_interleave(heads // kv, 1)).transpose(1, 2).reshape(ROWS, SEQ, d)
    return y @ p("attn.proj.weight").T, first_values


def mlp(c, p, h):
    up = h @ p("mlp.fc.weight").T
    if c["model.mlp"] == "relu2":
        up = torch.relu(up).square()
    elif c["model.mlp"] == "gelu":
        up = F.gelu(up)
    else:
        up = F.silu(h @ p("mlp.gate.weight").T) * up
    return up @ p("mlp.proj.weight").T


def forward(c, w, ids, targets):
    place = c["model.norm_placement"]
    before = (lambda x: x) if place == "post" else norm
    after = norm if place == "sandwich" else (lambda x: x)
    total = norm if place == "post" else (lambda x: x)
    x = x0 = embed(c, w, ids)
    skips, half, first_values = [], c["model.layers"] // 2 if c["model.unet_skips"] else 0, None
    for layer in range(c["model.layers"]):
        p = lambda part: w[f"blocks.{block_of(c, layer)}.{part}"]
        if layer >= half and skips:
            x = x + w["skip_weights"][layer - half] * skips.pop()
        if c["model.resid_mix"]:
            x = p("resid_mix.x") * x + p("resid_mix.x0") * x0
        y, first_values = attention(c, p, before(x), first_values)
        x = total(x + p("attn_scale") * after(y))
        x = total(x + p("mlp_scale") * after(mlp(c, p, before(x))))
        if layer < half:
            skips.append(x)
    cap = c["model.logit_softcap"]
    logits = norm(x) @ w["tok_emb.weight" if c["model.tied_embedding"] else "lm_head.weight"].T
    return F.cross_entropy((cap * torch.tanh(logits / cap)).view(-1, VOCABULARY), targets.view(-1))


def orthogonal(g, steps):
    x = g / (g.norm() + 1e-7)
    if g.shape[0] > g.shape[1]:
        x = x.T
    for _ in range(steps):
        a = x @ x.T
        x = 3.4445 * x + (-4.7750 * a + 2.0315 * a @ a) @ x
    return x.T if g.shape[0] > g.shape[1] else x


def elapsed_s(step):
    return 0.75 * step + 0.01 * step * step


def rate_factor(c, step):
    elapsed = elapsed_s(step)
    remaining = max(BUDGET_S - elapsed, 0)
    if c["schedule.warmdown"] == "share":
        length = c["schedule.warmdown_share"] * BUDGET_S
    else:
        length = c["schedule.warmdown_steps"] * elapsed / max(step, 1)
    factor = remaining / max(length, 1e-9) if remaining <= length else 1.0
    factor = c["schedule.min_rate"] + (1 - c["schedule.min_rate"]) * factor
    return factor * min(1, (step + 1) / max(c["schedule.warmup_steps"], 1))


class Optimizer:
    """Muon by hand, the rest by torch.optim, which has no gradient-free decay of its own that we use."""

    def __init__(self, c, w):
        self.c, self.w = c, w
        kinds = {name: kind for name, _, kind in tensors(c)}
        embed = "optim.tied_embed_lr" if c["model.tied_embedding"] else "optim.embed_lr"
        rates = {"embedding": c[embed], "head": c["optim.head_lr"], "scalar": c["optim.scalar_lr"],
                 "matrix": c["optim.matrix_adam_lr"]}
        decays = {"embedding": c["optim.embed_decay"], "head": c["optim.embed_decay"], "scalar": 0.0,
                  "matrix": c["optim.matrix_decay"]}
        muon = c["optim.method"] == "muon"
        self.matrices = [n for n in w if kinds[n] == "matrix" and muon]
        self.buffers = {n: torch.zeros_like(w[n]) for n in self.matrices}
        self.adam = torch.optim.AdamW(
            [dict(params=[t], lr=rates[kinds[n]], weight_decay=decays[kinds[n]], base=rates[kinds[n]])
             for n, t in w.items() if n not in self.matrices],
            betas=(c["optim.beta1"], c["optim.beta2"]), eps=c["optim.adam_eps"])

    def step(self, step):
        c, factor = self.c, rate_factor(self.c, step)
        if c["optim.grad_clip"]:
            torch.nn.utils.clip_grad_norm_(self.w.values(), c["optim.grad_clip"])
        rise = min(step / c["optim.muon_momentum_warmup_steps"], 1)
        momentum = (1 - rise) * c["optim.muon_momentum_start"] + rise * c["optim.muon_momentum"]
        for group in self.adam.param_groups:
            group["lr"] = group["base"] * factor
        self.adam.step()
        with torch.no_grad():
            for n in self.matrices:
                w, rate = self.w[n], c["optim.matrix_lr"] * factor
                self.buffers[n].mul_(momentum).add_(w.grad)
                update = orthogonal(w.grad + momentum * self.buffers[n], c["optim.muon_steps"])
                w.mul_(1 - rate * c["optim.matrix_decay"])
                w -= rate * max(1, w.shape[0] / w.shape[1]) ** 0.5 * update
                w.grad = None
        self.adam.zero_grad()


def averaged(c, history):
    """The weights that the run is for, from those after each step."""
    if c["optim.averaging"] == "none":
        return history[-1]
    if c["optim.averaging"] == "swa":
        late = [w for step, w in enumerate(history) if elapsed_s(step) >= (1 - c["optim.swa_share"]) * BUDGET_S]
        return {n: sum(w[n].double() for w in late).float() / len(late) for n in history[0]}
    average = {n: torch.zeros_like(t) for n, t in history[0].items()}
    for step, w in enumerate(history):
        share = max(1 / (step + 1), 1 - c["optim.ema_decay"])
        average = {n: t + share * (w[n] - t) for n, t in average.items()}
    return average


def train(c, ids, targets):
    w = start(c)
    optimizer = Optimizer(c, w)
    losses, gradients, history = [], [], []
    for step in range(STEPS):
        loss = forward(c, w, ids, targets)
        loss.backward()
        losses.append(loss.item())
        if step == 0:
            for number, t in enumerate(w.values()):
                g = torch.zeros_like(t) if t.grad is None else t.grad
                gradients.append((g.norm().item(), (g * noise(t.shape, 100 + number, 1)).sum().item()))
        optimizer.step(step)
        history.append({n: t.detach().clone() for n, t in w.items()})
    with torch.no_grad():
        losses.append(forward(c, averaged(c, history), ids, targets).item())
    return losses, gradients


def gene(name, value):
    if isinstance(value, bool):
        return f'{{"{name}", {str(value).lower()}}}'
    if isinstance(value, str):
        return f'{{"{name}", std::string("{value}")}}'
    return f'{{"{name}", std::int64_t{{{value}}}}}' if isinstance(value, int) else f'{{"{name}", {value!r}}}'


def rows(items, per_line):
    lines = [", ".join(items[i:i + per_line]) for i in range(0, len(items), per_line)]
    return "{" + ",\n      ".join(lines) + "}"


def main():
    torch.set_num_threads(1)
    tokens = torch.tensor([(7 * i * i + 3 * i + 1) % VOCABULARY for i in range(ROWS * SEQ + 1)])
    ids, targets = tokens[:-1].view(ROWS, SEQ), tokens[1:].view(ROWS, SEQ)
    print("// Written by make_golden.py with torch", torch.__version__ + ".\n// clang-format off")
    print('#pragma once\n\n#include <map>\n#include <string>\n#include <vector>\n\n#include "pool/types/search_space.h"\n')
    print("namespace cultivar {\n\nstruct Golden {\n    Genes genes;")
    print("    std::vector<double> losses;     // before each step, and of the weights that the run is for at the end")
    print("    std::vector<double> gradients;  // at the first step, before clipping: of each tensor the norm and the")
    print("                                    // scalar product with noise\n};\n")
    print("// Genes of all cases, beside their own.")
    print("inline const Genes kGoldenGenes" + rows([gene(*item) for item in DEFAULTS.items()], 3) + ";\n")
    print("inline const std::map<std::string, Golden> kGolden{")
    for name, changes in CASES.items():
        losses, gradients = train({**DEFAULTS, **changes}, ids, targets)
        print(f'    {{"{name}",\n     {{' + rows([gene(*item) for item in changes.items()], 3) + ",")
        print("      " + rows([f"{x:.7f}" for x in losses], 8) + ",")
        print("      " + rows([f"{x:.6e}" for pair in gradients for x in pair], 8) + "}},")
    print("};\n\n}  // namespace cultivar")


main()
