// The claims that may be judged now, in the order of the queue: within a class of keys nothing overtakes a claim that waits for
// its time (cli/verify/claim_order.h). A function of the queue and of the share alone.
#pragma once

#include <functional>
#include <optional>
#include <set>

#include "cli/verify/claim_order.h"

namespace cultivar {

// How a round treats the share (VerificationBudget).
enum class ShareUse {
    keep,           // the first claim that does not fit waits, and all of its class after it
    claims_beyond,  // every claim is judged; a rerun that does not fit is put off
    all_beyond,     // reruns too
};

struct RoundOptions {
    ShareUse share_use = ShareUse::keep;
    std::optional<Tier> tier{};  // the last tier of every claim, in place of the one that its plan names
    bool dry_run = false;        // judges, measures and writes nothing
};

using CanRerun = std::function<bool(const QueuedClaim&)>;

class Turns {
public:
    Turns(const Task& task, CanRerun can_rerun, const RoundOptions& options, AuditFunds funds)
        : task_(task), can_rerun_(std::move(can_rerun)), options_(options), funds_(funds) {}

    // Fits a claim's plan to the options and to the time that is left. False: the claim waits.
    bool fit(QueuedClaim& one);
    void spend(double seconds, bool proven) { funds_.spend(seconds, proven); }

private:
    bool has_its_turn(QueuedClaim& one);

    const Task& task_;
    CanRerun can_rerun_;
    const RoundOptions& options_;
    AuditFunds funds_;
    std::set<KeyStanding> waiting_{};
};

}  // namespace cultivar
