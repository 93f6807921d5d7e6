#include "bandit/operators.h"

#include <algorithm>
#include <functional>
#include <queue>
#include <vector>

namespace cultivar {
namespace {

constexpr double kFade = 0.95;
constexpr double kForeignWeight = 0.5;
constexpr double kFloor = 0.1;
constexpr int kDraws = 400;

// Prior shares of about 2 : 1 : 0.5, and other people's finds first of all.
std::vector<OperatorArm> prior_arms() {
    return {{kTune, 1.2, 0.8}, {kSwitch, 0.9, 1.1}, {kCross, 0.7, 1.3}, {kImport, 1.3, 0.7}};
}

// The lowest tenth of the scores so far, rounded up.
class BestTenth {
public:
    // Would this score be among them? O(log n).
    bool enter(double score) {
        bool enters = !best_.empty() && score <= best_.top();
        if (enters) {
            best_.push(score);
        } else {
            others_.push(score);
        }
        std::size_t tenth = (best_.size() + others_.size() + 9) / 10;
        if (best_.size() > tenth) others_.push(best_.top()), best_.pop();
        if (best_.size() < tenth) best_.push(others_.top()), others_.pop();
        return enters;
    }

private:
    std::priority_queue<double> best_;
    std::priority_queue<double, std::vector<double>, std::greater<>> others_;
};

}  // namespace

std::vector<OperatorArm> operator_arms(const History& history, const Contenders& contenders) {
    std::vector<OperatorArm> arms = prior_arms();
    std::vector<double> paid(arms.size(), 0), unpaid(arms.size(), 0);
    BestTenth best;  // of the candidates before this one
    std::vector<bool> seen(contenders.all().size());
    for (const Trial& trial : history.trials) {
        const Contender* contender = contenders.find(trial.candidate);
        if (contender == nullptr) continue;  // rejected
        if (!trial.own && trial.status != RunStatus::done) continue;
        auto place = static_cast<std::size_t>(contender - contenders.all().data());
        if (seen[place]) continue;
        seen[place] = true;
        bool pays = false;
        if (trial.status == RunStatus::done) pays = best.enter(trial.score);
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
