#include "bandit/model/hint_sources.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <utility>

namespace cultivar {
namespace {

constexpr std::size_t kFewest = 4;  // scored candidates of a source of its own
constexpr std::size_t kMostHeard = 3;
constexpr int kFewestShared = 3;

// Returns the ranks of the values; equal values share their mean rank.
std::vector<double> ranks_of(const std::vector<double>& values) {
    std::vector<std::size_t> order(values.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, {}, [&](std::size_t i) { return values[i]; });
    std::vector<double> ranks(values.size());
    for (std::size_t first = 0, last = 0; first < order.size(); first = last) {
        while (last < order.size() && values[order[last]] == values[order[first]]) ++last;
        for (std::size_t i = first; i < last; ++i) ranks[order[i]] = static_cast<double>(first + last - 1) / 2;
    }
    return ranks;
}

double spearman(const std::vector<double>& a, const std::vector<double>& b) {
    const std::vector<double> x = ranks_of(a), y = ranks_of(b);
    const double mean = static_cast<double>(a.size() - 1) / 2;
    double xx = 0, yy = 0, xy = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        xx += (x[i] - mean) * (x[i] - mean);
        yy += (y[i] - mean) * (y[i] - mean);
        xy += (x[i] - mean) * (y[i] - mean);
    }
    return xx > 0 && yy > 0 ? xy / std::sqrt(xx * yy) : 0;
}

struct Voice {
    HintSource source;
    std::vector<const CandidateStats*> of;  // the candidates, in the order of `said`

    void add(const CandidateStats& contender, double score) {
        auto& said = source.said;
        if (of.empty() || of.back() != &contender) {
            of.push_back(&contender);
            said.push_back({&contender.known->candidate.genes, 0, 1, 0});
        }
        Observation& one = said.back();
        one.runs += 1;
        one.score += (score - one.score) / one.runs;
    }
};

class Hearing {
public:
    explicit Hearing(const History& history) : history_(history) {}

    void hear(const CandidateStats& contender) {
        for (const auto* trials : {&contender.foreign, &contender.elsewhere}) {
            for (const Trial* trial : *trials) {
                if (counts(contender, *trial)) voice_of(*trial).add(contender, trial->score);
            }
        }
    }

    std::vector<HintSource> heard() {
        pool_small_ones();
        std::vector<HintSource> sources;
        for (auto& [key, voice] : voices_) {
            if (voice.of.size() < kFewest) continue;
            compare(voice);
            sources.push_back(std::move(voice.source));
        }
        std::ranges::stable_sort(sources, [](const HintSource& a, const HintSource& b) {
            return std::pair(standing(a), a.said.size()) > std::pair(standing(b), b.said.size());
        });
        if (sources.size() > kMostHeard) sources.resize(kMostHeard);
        return sources;
    }

private:
    using Key = std::pair<std::string_view, std::string_view>;

    bool counts(const CandidateStats& contender, const Trial& trial) const {
        if (contender.known == nullptr || trial.status != RunStatus::done || !std::isfinite(trial.score)) return false;
        return trial.trusted || contender.own.empty() || !trial.category.empty() || &trial < contender.own.front();
    }

    Voice& voice_of(const Trial& trial) {
        const std::string_view category = trial.category.empty() ? history_.category : trial.category;
        Voice& voice = voices_[{category, trial.trusted ? std::string_view() : std::string_view(trial.writer)}];
        voice.source.category = category;
        voice.source.writer = trial.trusted ? std::string_view() : std::string_view(trial.writer);
        voice.source.sure = trial.trusted;
        return voice;
    }

    void pool_small_ones() {
        std::map<std::string_view, Voice> together;
        for (auto& [key, voice] : voices_) {
            HintSource& source = voice.source;
            if (source.sure || voice.of.size() >= kFewest) continue;
            Voice& pooled = together[source.category];
            pooled.source.category = source.category;
            for (std::size_t i = 0; i < source.said.size(); ++i) pooled.add(*voice.of[i], source.said[i].score);
            voice.of.clear();
        }
        for (auto& [category, voice] : together) voices_[{category, kSeveral}] = std::move(voice);
    }

    static void compare(Voice& voice) {
        std::vector<double> there, here;
        for (std::size_t i = 0; i < voice.of.size(); ++i) {
            if (!voice.of[i]->scored()) continue;
            there.push_back(voice.source.said[i].score);
            here.push_back(voice.of[i]->mean);
        }
        voice.source.shared = static_cast<int>(here.size());
        if (voice.source.shared >= kFewestShared) voice.source.agreement = spearman(there, here);
    }

    // A cautious estimate of the agreement. A source that was not checked yet is not penalised.
    static double standing(const HintSource& source) {
        return source.shared < kFewestShared ? 0 : source.agreement - 1 / std::sqrt(source.shared);
    }

    static constexpr std::string_view kSeveral = "\n";
    const History& history_;
    std::map<Key, Voice> voices_;
};

}  // namespace

std::vector<HintSource> sources(const History& history, const CandidateStandings& contenders) {
    Hearing hearing(history);
    for (const CandidateStats& contender : contenders.all()) {
        if (!contender.foreign.empty() || !contender.elsewhere.empty()) hearing.hear(contender);
    }
    return hearing.heard();
}

}  // namespace cultivar
