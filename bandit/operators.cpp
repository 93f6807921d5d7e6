#include "bandit/operators.h"

#include <algorithm>
#include <cmath>
#include <unordered_set>

namespace cultivar {
namespace {

constexpr double kFade = 0.95;
constexpr double kForeignWeight = 0.5;
constexpr double kFloor = 0.1;
constexpr double kBest = 0.1;
constexpr int kDraws = 400;

// Prior shares of about 2 : 1 : 0.5, and other people's finds first of all.
std::vector<OperatorArm> prior_arms() {
    return {{kTune, 1.2, 0.8}, {kSwitch, 0.9, 1.1}, {kCross, 0.7, 1.3}, {kImport, 1.3, 0.7}};
}

}  // namespace

std::vector<OperatorArm> operator_arms(const History& history, const Contenders& contenders) {
    std::vector<OperatorArm> arms = prior_arms();
    std::vector<double> paid(arms.size(), 0), unpaid(arms.size(), 0);
    std::vector<double> scores;  // ascending, of the candidates before this one
    std::unordered_set<std::string_view> seen;
    for (const Trial& trial : history.trials) {
        if (contenders.find(trial.candidate) == nullptr) continue;  // rejected
        if (!trial.own && trial.status != RunStatus::done) continue;
        if (!seen.insert(trial.candidate).second) continue;
        bool pays = false;
        if (trial.status == RunStatus::done) {
            auto place = std::ranges::lower_bound(scores, trial.score);
            pays = static_cast<double>(place - scores.begin()) < std::ceil(kBest * static_cast<double>(scores.size()));
            scores.insert(place, trial.score);
        }
        auto arm = std::ranges::find(arms, std::string_view(trial.operator_name), &OperatorArm::name);
        if (arm == arms.end()) continue;
        auto index = static_cast<std::size_t>(arm - arms.begin());
        double weight = trial.own ? 1 : kForeignWeight;
        paid[index] = kFade * paid[index] + (pays ? weight : 0);
        unpaid[index] = kFade * unpaid[index] + (pays ? 0 : weight);
    }
    for (std::size_t i = 0; i < arms.size(); ++i) {
        arms[i].paid += paid[i];
        arms[i].unpaid += unpaid[i];
    }
    return arms;
}

std::vector<OperatorOdds> operator_odds(const std::vector<OperatorArm>& arms, Random& random) {
    std::vector<OperatorOdds> odds;
    if (arms.empty()) return odds;
    for (const OperatorArm& arm : arms) odds.push_back({arm.name, kFloor / static_cast<double>(arms.size())});
    for (int draw = 0; draw < kDraws; ++draw) {
        std::size_t winner = 0;
        double best = -1;
        for (std::size_t i = 0; i < arms.size(); ++i) {
            double value = random.beta(arms[i].paid, arms[i].unpaid);
            if (value > best) best = value, winner = i;
        }
        odds[winner].odds += (1 - kFloor) / kDraws;
    }
    return odds;
}

}  // namespace cultivar
