#!/usr/bin/python3
"""The model and optimizers of cultivar-lm in plain PyTorch, as a good user of PyTorch 1.13 or 2.x would write them.
lm_bench compares the worker with this program. It needs only torch.

    peer.py MODEL THREADS [DEVICE]

MODEL is the JSON that lm_bench makes of a configuration, DEVICE cpu (the default), cuda or mps. Each line on standard
input is a command and gets one line of JSON:

    losses N     the losses before each of the first N steps, from a start that needs no file, on two rows of tokens
    prepare      prints the device; tries the whole step, its halves, quarters and eighths as micro-batch and keeps
                 the fastest; must come before the following
    train S      trains for at least S seconds and one step in such micro-batches; tokens/s
    whole S      the same with the whole step as one batch
"""
import contextlib
import json
import math
import sys
import time

import torch
import torch.nn.functional as F

MATRIX, EMBEDDING, HEAD, SCALAR = range(4)
FUSED_ATTENTION = hasattr(F, "scaled_dot_product_attention")


def parameters(c, device, noise):
    weights = {}
    for number, t in enumerate(c["tensors"]):
        w = torch.empty(t["shape"], dtype=torch.float64)
        if noise:
            i = torch.arange(w.numel(), dtype=torch.float64)
            x = 43758.5453 * torch.sin(12.9898 * i + number)
            amplitude = 1.2 if t["group"] == SCALAR else math.sqrt(3 / w.shape[-1])
            w = (amplitude * (2 * (x - x.floor()) - 1)).view(w.shape)
        elif t["start"] == "uniform":
            reach = t["fill"] / math.sqrt(w.shape[-1])
            w.uniform_(-reach, reach)
        elif t["start"] == "normal":
            w.normal_(0, t["fill"])
        else:
            w.fill_(t["fill"])
        weights[t["name"]] = torch.nn.Parameter(w.float().to(device))
    return weights


def norm(x):
    if hasattr(F, "rms_norm"):
        return F.rms_norm(x, (x.shape[-1],))
    return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + torch.finfo(torch.float32).eps)


class Net:
    def __init__(self, c, weights, device):
        self.c, self.w = c, weights
        t, head = c["seq_len"], c["width"] // c["heads"]
        angle = torch.outer(torch.arange(t, dtype=torch.float32),
                            1.0 / c["rope_base"] ** (torch.arange(0, head, 2, dtype=torch.float32) / head))
        self.cos, self.sin = angle.cos().to(device), angle.sin().to(device)
        if not FUSED_ATTENTION:
            self.mask = torch.full((t, t), float("-inf"), device=device).triu(1)
        halves = len(c["block_of"]) // 2
        self.skips = halves if "skip_weights" in weights else 0

    def rotate(self, x):
        a, b = x.chunk(2, -1)
        cos, sin = self.cos.to(x.dtype), self.sin.to(x.dtype)
        return torch.cat((a * cos + b * sin, b * cos - a * sin), -1)

    def attention(self, p, h):
        heads, kv, (rows, t, d) = self.c["heads"], self.c["kv_heads"], h.shape
        q, k, v = (F.linear(h, p[f"attn.c_{part}.weight"]).view(rows, t, n, d // heads).transpose(1, 2)
                   for part, n in (("q", heads), ("k", kv), ("v", kv)))
        q = self.rotate(norm(q)) * p["attn.q_gain"].to(q.dtype)[:, None, None]
        k = self.rotate(norm(k)).repeat_interleave(heads // kv, 1)
        v = v.repeat_interleave(heads // kv, 1)
        if FUSED_ATTENTION:
            y = F.scaled_dot_product_attention(q, k, v.to(q.dtype), is_causal=True)
        else:
            y = ((q * (d // heads) ** -0.5) @ k.transpose(-1, -2) + self.mask).softmax(-1) @ v
        return F.linear(y.transpose(1, 2).reshape(rows, t, d), p["attn.proj.weight"])

    def feed_forward(self, p, h):
        up = F.linear(h, p["mlp.fc.weight"])
        if self.c["mlp"] == "relu2":
            up = torch.relu(up).square()
        elif self.c["mlp"] == "gelu":
            up = F.gelu(up)
        else:
            up = F.silu(F.linear(h, p["mlp.gate.weight"])) * up
        return F.linear(up, p["mlp.proj.weight"])

    def loss(self, ids, targets):
        blocks = {}
        for name, w in self.w.items():
            if name.startswith("blocks."):
                _, number, part = name.split(".", 2)
                blocks.setdefault(int(number), {})[part] = w
        x = x0 = norm(F.embedding(ids, self.w["tok_emb.weight"]))
        kept = []
        for layer, block in enumerate(self.c["block_of"]):
            p = blocks[block]
            if layer >= self.skips and kept:
                x = x + self.w["skip_weights"][layer - self.skips] * kept.pop()
            x = p["resid_mix.x"] * x + p["resid_mix.x0"] * x0
            x = x + p["attn_scale"] * self.attention(p, norm(x))
            x = x + p["mlp_scale"] * self.feed_forward(p, norm(x))
            if layer < self.skips:
                kept.append(x)
        head = self.w.get("lm_head.weight", self.w["tok_emb.weight"])
        logits = F.linear(norm(x), head).float()
        logits = self.c["logit_softcap"] * torch.tanh(logits / self.c["logit_softcap"])
        return F.cross_entropy(logits.view(-1, logits.shape[-1]), targets.view(-1), reduction="sum")


@torch.no_grad()
def orthogonal(g, steps):
    x = g.bfloat16() if g.is_cuda else g
    x = x / (x.norm() + 1e-7)
    if g.shape[0] > g.shape[1]:
        x = x.T
    for _ in range(steps):
        a = x @ x.T
        x = torch.addmm(x, torch.addmm(a, a, a, beta=-4.7750, alpha=2.0315), x, beta=3.4445)
    return (x.T if g.shape[0] > g.shape[1] else x).to(g.dtype)


class Muon(torch.optim.Optimizer):
    def __init__(self, params, lr, c):
        super().__init__(params, dict(lr=lr, count=0))
        self.c = c

    @torch.no_grad()
    def step(self):
        group = self.param_groups[0]
        start, target, warm_up = self.c["momentum"]
        momentum = start + (target - start) * min(group["count"] / warm_up, 1)
        group["count"] += 1
        params = group["params"]
        gradients = [p.grad for p in params]
        buffers = [self.state[p].setdefault("buffer", torch.zeros_like(p)) for p in params]
        torch._foreach_mul_(buffers, momentum)
        torch._foreach_add_(buffers, gradients)
        updates = torch._foreach_add(gradients, buffers, alpha=momentum)
        for p, update in zip(params, updates):
            scale = max(1, p.shape[0] / p.shape[1]) ** 0.5
            p.add_(orthogonal(update, self.c["newton_schulz"]), alpha=-group["lr"] * scale)


def make_adam(groups, c, device):
    settings = dict(betas=tuple(c["betas"]), eps=c["adam_eps"])
    for fast in (dict(fused=True), dict(foreach=True)):
        with contextlib.suppress(RuntimeError, TypeError):  # a missing feature shows when it is used
            probe = torch.nn.Parameter(torch.zeros(1, device=device))
            probe.grad = torch.zeros_like(probe)
            torch.optim.Adam([probe], **settings, **fast).step()
            return torch.optim.Adam(groups, **settings, **fast)
    return torch.optim.Adam(groups, **settings)


class Peer:
    def __init__(self, c, device):
        self.c, self.device, self.micro_rows, self.net = c, device, 0, None

    def begin(self, noise):
        c = self.c
        weights = parameters(c, self.device, noise)
        self.net = Net(c, weights, self.device)
        by_group = [[weights[t["name"]] for t in c["tensors"] if t["group"] == g] for g in range(4)]
        adam = [dict(params=by_group[g], lr=c["rates"][g]) for g in (EMBEDDING, HEAD, SCALAR) if by_group[g]]
        self.weights = list(weights.values())
        self.optimizers = [Muon(by_group[MATRIX], c["rates"][MATRIX], c), make_adam(adam, c, self.device)]

    def synchronize(self):
        if self.device == "cuda":
            torch.cuda.synchronize()
        elif self.device == "mps":
            torch.mps.synchronize()

    def accumulate(self, ids, targets, count):
        half = torch.autocast("cuda", torch.bfloat16) if self.device == "cuda" else contextlib.nullcontext()
        with half:
            loss = self.net.loss(ids, targets) / count
        loss.backward()
        return loss.detach()

    def step(self, ids, targets, micro_rows):
        for w in self.weights:
            w.grad = None
        parts = zip(ids.split(micro_rows), targets.split(micro_rows))
        loss = sum(self.accumulate(x, y, targets.numel()) for x, y in parts)
        if self.c["grad_clip"] > 0:
            torch.nn.utils.clip_grad_norm_(self.weights, self.c["grad_clip"])
        for optimizer in self.optimizers:
            optimizer.step()
        return loss

    def describe(self):
        libraries = set()
        with contextlib.suppress(OSError), open("/proc/self/maps") as maps:
            libraries = {line.split()[-1] for line in maps if "blas" in line}
        return dict(torch=torch.__version__, device=self.device, threads=torch.get_num_threads(),
                    fused_attention=FUSED_ATTENTION, blas_libraries=sorted(libraries))

    def losses(self, steps):
        self.begin(noise=True)
        t = self.c["seq_len"]
        i = torch.arange(2 * t + 1)
        tokens = ((7 * i * i + 3 * i + 1) % self.c["vocabulary"]).to(self.device)
        ids, targets = tokens[:-1].view(2, t), tokens[1:].view(2, t)
        return dict(losses=[self.step(ids, targets, 2).item() for _ in range(steps)])

    def choose_micro_batch(self, ids, targets):
        rows = ids.shape[0]
        self.accumulate(ids[:1], targets[:1], 1)
        rates = {}
        for micro in sorted({max(1, rows // parts) for parts in (1, 2, 4, 8)}):
            pieces = list(zip(ids.split(micro), targets.split(micro)))[:max(1, rows // 4 // micro)]
            self.synchronize()
            began = time.perf_counter()
            for x, y in pieces:
                self.accumulate(x, y, targets.numel()).item()
            self.synchronize()
            rates[micro] = len(pieces) * micro / (time.perf_counter() - began)
        self.micro_rows = max(rates, key=rates.get)

    def prepare(self):
        t, count = self.c["seq_len"], self.c["tokens_per_step"]
        self.begin(noise=False)
        tokens = torch.randint(self.c["vocabulary"], (count + 1,)).to(self.device)
        self.data = tokens[:-1].view(-1, t), tokens[1:].view(-1, t)
        self.choose_micro_batch(*self.data)
        self.step(*self.data, self.micro_rows)  # warms up
        return dict(self.describe(), micro_tokens=self.micro_rows * t)

    def train(self, seconds, whole=False):
        rows = self.data[0].shape[0] if whole else self.micro_rows
        self.synchronize()
        began, steps = time.perf_counter(), 0
        while steps == 0 or time.perf_counter() - began < seconds:
            loss = self.step(*self.data, rows).item()
            steps += 1
        self.synchronize()
        rate = steps * self.c["tokens_per_step"] / (time.perf_counter() - began)
        return dict(tokens_per_s=rate, loss=loss)


def main():
    c, threads, device = json.loads(sys.argv[1]), int(sys.argv[2]), (sys.argv[3:] or ["cpu"])[0]
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    peer = Peer(c, device)
    for line in sys.stdin:
        command, *number = line.split()
        answer = {"losses": lambda n: peer.losses(int(n)), "prepare": peer.prepare,
                  "train": lambda s: peer.train(float(s)), "whole": lambda s: peer.train(float(s), whole=True)}[command]
        print(json.dumps(answer(*number)), flush=True)


main()
