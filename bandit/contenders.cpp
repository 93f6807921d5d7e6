#include "bandit/contenders.h"

#include <cmath>
#include <numeric>

namespace cultivar {

Contenders::Contenders(const History& history) {
    all_.reserve(history.candidates.size());
    by_id_.reserve(history.candidates.size());
    for (const Known& known : history.candidates) {
        if (known.rejected) {
            rejected_.insert(known.candidate.id);
        } else if (by_id_.try_emplace(known.candidate.id, all_.size()).second) {
            all_.emplace_back().known = &known;
        }
    }
    for (const Known& known : history.candidates) {
        for (const std::string& parent : known.parents) {
            if (auto found = by_id_.find(parent); found != by_id_.end()) ++all_[found->second].children;
        }
    }
    for (const Trial& trial : history.trials) {
        if (rejected_.contains(trial.candidate)) continue;
        auto [place, fresh] = by_id_.try_emplace(trial.candidate, all_.size());
        if (fresh) all_.emplace_back();
        Contender& contender = all_[place->second];
        (trial.own ? contender.own : contender.foreign).push_back(&trial);
        if (!trial.own) continue;
        if (trial.decision != Decision::none) contender.decision = trial.decision;
        if (trial.status == RunStatus::done && std::isfinite(trial.score)) contender.scores.push_back(trial.score);
    }
    for (Contender& contender : all_) {
        if (!contender.scored()) continue;
        contender.mean = std::accumulate(contender.scores.begin(), contender.scores.end(), 0.0) / contender.runs();
    }
}

const Contender* Contenders::find(std::string_view candidate) const {
    auto found = by_id_.find(candidate);
    return found == by_id_.end() ? nullptr : &all_[found->second];
}

const Contender* Contenders::best() const {
    const Contender* best = nullptr;
    for (const Contender& contender : all_) {
        if (contender.scored() && (best == nullptr || contender.mean < best->mean)) best = &contender;
    }
    return best;
}

const Contender* Contenders::best_of(const std::vector<std::string>& candidates) const {
    const Contender* best = nullptr;
    for (const std::string& candidate : candidates) {
        const Contender* contender = find(candidate);
        if (contender == nullptr || !contender->scored()) continue;
        if (best == nullptr || contender->mean < best->mean) best = contender;
    }
    return best;
}

}  // namespace cultivar
