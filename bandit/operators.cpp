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
constexpr double kPriorRuns = 2;                          // at the mean cost
constexpr double kLeastCost = 0.25, kGreatestCost = 100;  // an operator that costs nothing is not worth everything

// Prior shares of about 2 : 1 : 0.5, and other people's finds first of all.
std::vector<OperatorArm> prior_arms(std::string_view external) {
    std::vector<OperatorArm> arms = {{kTune, 1.2, 0.8}, {kSwitch, 0.9, 1.1}, {kCross, 0.7, 1.3}, {kImport, 1.3, 0.7}};
    if (!external.empty()) arms.push_back({external, 1.2, 0.8});
    return arms;
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

double proposal_cost_s(const Trial& trial) { return trial.proposer_s + kSecondsPerUsd * trial.proposer_usd; }

bool is_proposed(const Trial& trial) { return !trial.proposer.empty() && trial.proposer == trial.operator_name; }

// 0: no own run says what it cost.
double mean_cost_s(const History& history) {
    double sum_s = 0;
    int runs = 0;
    for (const Trial& trial : history.trials) {
        if (trial.own && trial.wall_s > 0) sum_s += trial.wall_s, ++runs;
    }
    return runs > 0 ? sum_s / runs : 0;
}

// What one operator's runs have shown, each fading with the next.
struct Account {
    double paid = 0, unpaid = 0, cost = 0, runs = 0;

    void add(bool pays, double weight, double run_cost) {
        paid = kFade * paid + (pays ? weight : 0);
        unpaid = kFade * unpaid + (pays ? 0 : weight);
        cost = kFade * cost + weight * std::min(run_cost, kGreatestCost);
        runs = kFade * runs + weight;
    }
};

class Accounts {
public:
    Accounts(const History& history, const std::vector<OperatorArm>& arms)
        : arms_(arms), accounts_(arms.size()), mean_s_(mean_cost_s(history)) {}

    void take_run(const Trial& trial, bool pays) {
        if (Account* account = of(trial.operator_name))
            account->add(pays, trial.own ? 1 : kForeignWeight, run_cost(trial));
    }
    void take_refused_call(const Trial& trial) {
        if (Account* account = of(trial.proposer)) account->add(false, 1, relative(proposal_cost_s(trial)));
    }
    const std::vector<Account>& all() const { return accounts_; }

private:
    Account* of(std::string_view name) {
        auto arm = std::ranges::find(arms_, name, &OperatorArm::name);
        return arm == arms_.end() ? nullptr : &accounts_[static_cast<std::size_t>(arm - arms_.begin())];
    }
    double relative(double seconds) const { return mean_s_ > 0 ? seconds / mean_s_ : 1; }
    double run_cost(const Trial& trial) const {
        if (!trial.own) return 1;
        return relative(trial.wall_s + (is_proposed(trial) ? proposal_cost_s(trial) : 0));
    }

    const std::vector<OperatorArm>& arms_;
    std::vector<Account> accounts_;
    double mean_s_;
};

}  // namespace

std::vector<OperatorArm> operator_arms(const History& history, const Contenders& contenders,
                                       std::string_view external) {
    std::vector<OperatorArm> arms = prior_arms(external);
    Accounts accounts(history, arms);
    BestTenth best;  // of the candidates before this one
    std::vector<bool> seen(contenders.all().size());
    for (const Trial& trial : history.trials) {
        if (trial.own && !trial.proposer.empty() && !is_proposed(trial)) accounts.take_refused_call(trial);
        const Contender* contender = contenders.find(trial.candidate);
        if (contender == nullptr) continue;  // rejected
        if (!trial.own && trial.status != RunStatus::done) continue;
        auto place = static_cast<std::size_t>(contender - contenders.all().data());
        if (seen[place]) continue;
        seen[place] = true;
        bool pays = false;
        if (trial.status == RunStatus::done) pays = best.enter(trial.score);
        accounts.take_run(trial, pays);
    }
    for (std::size_t i = 0; i < arms.size(); ++i) {
        const Account& account = accounts.all()[i];
        arms[i].paid += account.paid;
        arms[i].unpaid += account.unpaid;
        arms[i].cost = std::max((kPriorRuns + account.cost) / (kPriorRuns + account.runs), kLeastCost);
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
            double value = random.beta(arms[i].paid, arms[i].unpaid) / arms[i].cost;
            if (value > best) best = value, winner = i;
        }
        odds[winner].odds += (1 - kFloor) / kDraws;
    }
    return odds;
}

}  // namespace cultivar
