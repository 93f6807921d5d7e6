// Judging a claim, cheapest tier first: structure, then a rescore of the artifact by the worker.
#pragma once

#include "cli/session.h"
#include "train/energy.h"

namespace cultivar {

class Verifier {
public:
    // Errors: usage, when this clone's key is none of the pool's verifiers; not_found (worker, data).
    static Result<Verifier> make(Context& context, Session& session);

    // A verdict on every claim that can be judged. Errors: interrupted, or what keeps this machine from judging at all.
    Result<Verdict> judge(const ClaimRow& row);

    // Appends to this verifier's ledger and signs its tip.
    Result<void> write(const std::vector<Verdict>& verdicts);

private:
    Verifier(Context& context, Session& session, int threads, double watts)
        : context_(context), session_(session), threads_(threads), watts_(watts) {}
    Result<void> check_tiers(const ClaimRow& row, Verdict& verdict);
    Result<void> rescore(const ClaimRow& row, const Run& run, const std::string& weights, Verdict& verdict);

    Context& context_;
    Session& session_;
    int threads_;
    double watts_;
    std::string evaluator_{};  // SHA-256 of the worker's program
    SystemClock clock_;
};

}  // namespace cultivar
