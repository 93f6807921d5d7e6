#include "cli/verify/surroundings.h"

#include <algorithm>
#include <array>
#include <ctime>

#include "cli/verify/hold_out_book.h"

namespace cultivar {

Result<Surroundings> snapshot(Session& session) {
    Surroundings around;
    TRY_ASSIGN(std::vector<Standing> standings, session.index->standings());
    for (const Standing& standing : standings) {
        if (standing.fresh_seeds > 0)
            around.fresh_seeds[{standing.category, standing.candidate}] = standing.fresh_seeds;
        // Whatever a verifier scored leads: a worse claim is not judged in full because something is still due there.
        const bool leads =
            std::ranges::any_of(std::array{Certainty::accepted, Certainty::provisional, Certainty::scored},
                                [&](Certainty one) { return standing.verdict == name(one); });
        if (!leads || standing.runs < 1) continue;
        const auto found = around.best.find(standing.category);
        if (found != around.best.end() && found->second <= standing.val_bpb) continue;
        around.best[standing.category] = standing.val_bpb;
        around.leader[standing.category] = standing.candidate;
    }
    TRY_ASSIGN(around.children, session.index->children());
    TRY_ASSIGN(const HoldOut hold_out, HoldOut::open(*session.clone));
    around.hold_out = hold_out.serving(std::time(nullptr)).has_value();
    return around;
}

bool leads(const Surroundings& around, const Claim& claim) {
    const auto found = around.leader.find(claim.category);
    return found != around.leader.end() && found->second == claim.candidate;
}

ClaimImpact impact_of(const Surroundings& around, const Claim& claim) {
    ClaimImpact impact;
    const auto best = around.best.find(claim.category);
    impact.best = best == around.best.end() || leads(around, claim) || claim.val_bpb < best->second;
    impact.gain = (best != around.best.end() ? best->second : 0) - claim.val_bpb;
    if (const auto found = around.children.find(claim.candidate); found != around.children.end())
        impact.children = found->second;
    return impact;
}

int fresh_seeds_of(const Surroundings& around, const Claim& claim) {
    const auto found = around.fresh_seeds.find({claim.category, claim.candidate});
    return found == around.fresh_seeds.end() ? 0 : found->second;
}

}  // namespace cultivar
