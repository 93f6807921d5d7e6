#include "cli/verify/claim_order.h"

#include <algorithm>
#include <map>
#include <tuple>

namespace cultivar {
namespace {

constexpr double kMostOfAll = 0.5;

// Sets each claim's level: the seconds that its key will have had once it is judged.
void set_levels(ClaimQueue& queue) {
    std::vector<QueuedClaim*> claims;
    for (QueuedClaim& one : queue.claims) claims.push_back(&one);
    std::ranges::sort(claims, {}, [](const QueuedClaim* one) { return one->row.seq; });
    std::ranges::stable_sort(
        claims, [](const QueuedClaim* a, const QueuedClaim* b) { return more_valuable(a->impact, b->impact); });
    std::map<std::string, double> had_s;
    for (QueuedClaim* one : claims) {
        const std::string& key = one->row.key.empty() ? one->row.claim.writer : one->row.key;
        const auto [found, fresh] = had_s.emplace(key, 0);
        if (const auto account = queue.accounts.find(key); fresh && account != queue.accounts.end())
            found->second = account->second.spent_s;
        one->level_s = found->second += one->cost_s();
    }
}

// Claims of one candidate and category exchange their places.
void put_oldest_first(std::vector<QueuedClaim>& claims) {
    std::map<std::pair<std::string, std::string>, std::vector<std::size_t>> places;
    for (std::size_t i = 0; i < claims.size(); ++i) {
        const QueuedClaim& one = claims[i];
        if (one.unsound.empty() && one.standing != KeyStanding::doubtful)
            places[{one.row.claim.candidate, one.row.claim.category}].push_back(i);
    }
    for (const auto& [what, of] : places) {
        if (of.size() < 2) continue;
        std::vector<QueuedClaim> same;
        for (std::size_t place : of) same.push_back(std::move(claims[place]));
        std::ranges::stable_sort(same, {},
                                 [](const QueuedClaim& one) { return std::tuple(one.row.seen_s, one.row.seq); });
        for (std::size_t i = 0; i < of.size(); ++i) claims[of[i]] = std::move(same[i]);
    }
}

}  // namespace

void order_claims(ClaimQueue& queue) {
    set_levels(queue);
    std::ranges::sort(queue.claims, [](const QueuedClaim& a, const QueuedClaim& b) {
        return std::tuple(a.unsound.empty(), a.standing, a.level_s, a.row.seq) <
               std::tuple(b.unsound.empty(), b.standing, b.level_s, b.row.seq);
    });
    put_oldest_first(queue.claims);
}

double AuditFunds::all_s(KeyStanding standing) const {
    return standing == KeyStanding::proven ? share_.allowed_s() : share_.unproven_s();
}

double AuditFunds::left_s(KeyStanding standing) const {
    return standing == KeyStanding::proven ? share_.left_s()
                                           : std::min(share_.left_s(), share_.unproven_s() - unproven_s_);
}

AuditFunds::Fit AuditFunds::fit(KeyStanding standing, double cost_s) const {
    if (affords(standing, cost_s)) return Fit::now;
    return cost_s > kMostOfAll * all_s(standing) ? Fit::never : Fit::later;
}

void AuditFunds::spend(double seconds, bool proven) {
    share_.spent_s += seconds;
    if (!proven) unproven_s_ += seconds;
}

}  // namespace cultivar
