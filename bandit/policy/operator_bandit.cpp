#include "bandit/policy/operator_bandit.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace cultivar {
namespace {

constexpr double kUsualFade = 0.95, kOtherFades[] = {0.85, 0.9, 0.98, 1};
constexpr double kFadeMargin = 1;  // nats
constexpr double kForeignWeight = 0.5, kMostForeign = 2;
constexpr double kFloor = 0.1;
constexpr int kDraws = 400;
constexpr double kLeastPaid = 0.1;
constexpr double kPriorRuns = 2;                          // that cost the mean
constexpr double kLeastCost = 0.25, kGreatestCost = 100;  // bounds for operators that cost next to nothing

// The prior shares are about 2 : 1 : 0.5. Imports come first of all, as far as hint sources have proved right.
std::vector<OperatorArm> prior_arms(std::string_view external, double hint_weight) {
    std::vector<OperatorArm> arms = {{kTune, 1.2, 0.8},
                                     {kSwitch, 0.9, 1.1},
                                     {kCross, 0.7, 1.3},
                                     {kImport, std::lerp(kLeastPaid, 1.3, hint_weight), 0.7}};
    if (!external.empty()) arms.push_back({external, 1.2, 0.8});
    return arms;
}

struct Lowest {
    double score = std::numeric_limits<double>::infinity();
    bool improve(double next) {
        bool improves = std::isfinite(score) && next < score;
        score = std::min(score, next);
        return improves;
    }
};

double proposal_cost_s(const Trial& trial) { return trial.proposer_s + kSecondsPerUsd * trial.proposer_usd; }

bool is_proposed(const Trial& trial) { return !trial.proposer.empty() && trial.proposer == trial.operator_name; }

// Returns 0 if no run of this clone has a known cost. No verdict checks the times that other writers tell.
double mean_cost_s(const History& history) {
    double sum_s = 0;
    int runs = 0;
    for (const Trial& trial : history.trials) {
        if (trial.trusted && !trial.claimed && trial.wall_s > 0) sum_s += trial.wall_s, ++runs;
    }
    return runs > 0 ? sum_s / runs : 0;
}

// The result of one run of an operator, or of one call without a run.
struct OperatorOutcome {
    std::size_t arm;
    bool pays;
    double weight, cost;
};

// The sums over one operator's outcomes; each outcome fades the ones before.
struct Account {
    double successes = 0, failures = 0, cost = 0, runs = 0;

    void add(const OperatorOutcome& outcome, double fade) {
        successes = fade * successes + (outcome.pays ? outcome.weight : 0);
        failures = fade * failures + (outcome.pays ? 0 : outcome.weight);
        cost = fade * cost + outcome.weight * std::min(outcome.cost, kGreatestCost);
        runs = fade * runs + outcome.weight;
    }
};

std::vector<Account> accounts_of(const std::vector<OperatorOutcome>& outcomes, std::size_t arms, double fade) {
    std::vector<Account> accounts(arms);
    for (const OperatorOutcome& outcome : outcomes) accounts[outcome.arm].add(outcome, fade);
    return accounts;
}

// Returns ln of the probability that accounts with this fade gave to the outcomes, each before it was known.
double log_likelihood(const std::vector<OperatorOutcome>& outcomes, const std::vector<OperatorArm>& priors,
                      double fade) {
    std::vector<Account> accounts(priors.size());
    double sum = 0;
    for (const OperatorOutcome& outcome : outcomes) {
        Account& account = accounts[outcome.arm];
        const double successes = priors[outcome.arm].successes + account.successes,
                     failures = priors[outcome.arm].failures + account.failures;
        sum += std::log((outcome.pays ? successes : failures) / (successes + failures));
        account.add(outcome, fade);
    }
    return sum;
}

double best_fade(const std::vector<OperatorOutcome>& outcomes, const std::vector<OperatorArm>& priors) {
    double best = kUsualFade, highest = log_likelihood(outcomes, priors, kUsualFade) + kFadeMargin;
    for (double fade : kOtherFades) {
        const double likelihood = log_likelihood(outcomes, priors, fade);
        if (likelihood > highest) highest = likelihood, best = fade;
    }
    return best;
}

// The category's history as outcomes: of own runs, and of the unverified runs of others.
class OperatorOutcomes {
public:
    OperatorOutcomes(const History& history, const CandidateTable& candidates, const std::vector<OperatorArm>& arms)
        : arms_(arms), mean_s_(mean_cost_s(history)) {
        std::vector<bool> seen(candidates.all().size()), told(candidates.all().size());
        Lowest best, best_foreign;  // of the candidates before this one
        for (const Trial& trial : history.trials) {
            if (trial.trusted && !trial.claimed && !trial.proposer.empty() && !is_proposed(trial))
                add(own, trial.proposer, {0, false, 1, relative(proposal_cost_s(trial))});
            const CandidateStats* stats = candidates.of(trial);
            if (stats == nullptr) continue;  // rejected
            if (!trial.trusted && trial.status != RunStatus::done) continue;
            auto place = static_cast<std::size_t>(stats - candidates.all().data());
            std::vector<bool>& known = trial.trusted ? seen : told;
            if (known[place]) continue;
            known[place] = trial.status != RunStatus::failed;  // its next run may still be its first score
            const bool pays =
                trial.status == RunStatus::done && (trial.trusted ? best : best_foreign).improve(trial.score);
            if (trial.trusted) {
                add(own, trial.operator_name, {0, pays, 1, run_cost(trial)});
            } else {
                add(others, trial.operator_name, {0, pays, kForeignWeight, 1});
            }
        }
    }

    std::vector<OperatorOutcome> own, others;

private:
    void add(std::vector<OperatorOutcome>& outcomes, std::string_view name, OperatorOutcome outcome) {
        auto arm = std::ranges::find(arms_, name, &OperatorArm::name);
        if (arm == arms_.end()) return;
        outcome.arm = static_cast<std::size_t>(arm - arms_.begin());
        outcomes.push_back(outcome);
    }
    double relative(double seconds) const { return mean_s_ > 0 ? seconds / mean_s_ : 1; }
    double run_cost(const Trial& trial) const {
        if (trial.claimed) return 1;
        return relative(trial.wall_s + (is_proposed(trial) ? proposal_cost_s(trial) : 0));
    }

    const std::vector<OperatorArm>& arms_;
    double mean_s_;
};

}  // namespace

std::vector<OperatorArm> operator_arms(const History& history, const CandidateTable& candidates,
                                       std::string_view external, double hint_weight) {
    std::vector<OperatorArm> arms = prior_arms(external, hint_weight);
    const OperatorOutcomes outcomes(history, candidates, arms);
    const double fade = best_fade(outcomes.own, arms);
    const std::vector<Account> own = accounts_of(outcomes.own, arms.size(), fade);
    const std::vector<Account> others = accounts_of(outcomes.others, arms.size(), fade);
    for (std::size_t i = 0; i < arms.size(); ++i) {
        const double share = std::min(1.0, kMostForeign / std::max(others[i].runs, kMostForeign));
        arms[i].successes += own[i].successes + share * others[i].successes;
        arms[i].failures += own[i].failures + share * others[i].failures;
        arms[i].cost = std::max((kPriorRuns + own[i].cost) / (kPriorRuns + own[i].runs), kLeastCost);
        arms[i].fade = fade;
    }
    return arms;
}

std::vector<OperatorProbability> selection_probabilities(const std::vector<OperatorArm>& arms, Random& random) {
    std::vector<OperatorProbability> selection_probability;
    if (arms.empty()) return selection_probability;
    for (const OperatorArm& arm : arms)
        selection_probability.push_back({arm.name, kFloor / static_cast<double>(arms.size())});
    for (int draw = 0; draw < kDraws; ++draw) {
        std::size_t winner = 0;
        double best = -1;
        for (std::size_t i = 0; i < arms.size(); ++i) {
            double value = random.beta(arms[i].successes, arms[i].failures) / arms[i].cost;
            if (value > best) best = value, winner = i;
        }
        selection_probability[winner].selection_probability += (1 - kFloor) / kDraws;
    }
    return selection_probability;
}

}  // namespace cultivar
