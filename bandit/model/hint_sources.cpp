#include "bandit/model/hint_sources.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <utility>

namespace cultivar {
namespace {

constexpr std::size_t kFewest = 4;  // scored candidates of a source of its own
constexpr std::size_t kMostSources = 3;
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

struct WriterResults {
    HintSource source;
    std::vector<const CandidateStats*> of;  // the candidates, in the order of `results`

    void add(const CandidateStats& stats, double score) {
        auto& results = source.results;
        if (of.empty() || of.back() != &stats) {
            of.push_back(&stats);
            results.push_back({&stats.known->candidate.genes, 0, 1, 0});
        }
        Observation& one = results.back();
        one.runs += 1;
        one.score += (score - one.score) / one.runs;
    }
};

class SourceCollector {
public:
    explicit SourceCollector(const History& history) : history_(history) {}

    void add(const CandidateStats& stats) {
        for (const auto* trials : {&stats.foreign, &stats.elsewhere}) {
            for (const Trial* trial : *trials) {
                if (counts(stats, *trial)) writer_of(*trial).add(stats, trial->score);
            }
        }
    }

    std::vector<HintSource> best() {
        pool_small_ones();
        std::vector<HintSource> sources;
        for (auto& [key, writer] : writers_) {
            if (writer.of.size() < kFewest) continue;
            compare(writer);
            sources.push_back(std::move(writer.source));
        }
        std::ranges::stable_sort(sources, [](const HintSource& a, const HintSource& b) {
            return std::pair(standing(a), a.results.size()) > std::pair(standing(b), b.results.size());
        });
        if (sources.size() > kMostSources) sources.resize(kMostSources);
        return sources;
    }

private:
    using Key = std::pair<std::string_view, std::string_view>;

    bool counts(const CandidateStats& stats, const Trial& trial) const {
        if (stats.known == nullptr || trial.status != RunStatus::done || !std::isfinite(trial.score)) return false;
        return trial.trusted || stats.own.empty() || !trial.category.empty() || &trial < stats.own.front();
    }

    WriterResults& writer_of(const Trial& trial) {
        const std::string_view category = trial.category.empty() ? history_.category : trial.category;
        WriterResults& writer =
            writers_[{category, trial.trusted ? std::string_view() : std::string_view(trial.writer)}];
        writer.source.category = category;
        writer.source.writer = trial.trusted ? std::string_view() : std::string_view(trial.writer);
        writer.source.sure = trial.trusted;
        return writer;
    }

    void pool_small_ones() {
        std::map<std::string_view, WriterResults> together;
        for (auto& [key, writer] : writers_) {
            HintSource& source = writer.source;
            if (source.sure || writer.of.size() >= kFewest) continue;
            WriterResults& pooled = together[source.category];
            pooled.source.category = source.category;
            for (std::size_t i = 0; i < source.results.size(); ++i) pooled.add(*writer.of[i], source.results[i].score);
            writer.of.clear();
        }
        for (auto& [category, writer] : together) writers_[{category, kSeveral}] = std::move(writer);
    }

    static void compare(WriterResults& writer) {
        std::vector<double> there, here;
        for (std::size_t i = 0; i < writer.of.size(); ++i) {
            if (!writer.of[i]->scored()) continue;
            there.push_back(writer.source.results[i].score);
            here.push_back(writer.of[i]->mean);
        }
        writer.source.shared = static_cast<int>(here.size());
        if (writer.source.shared >= kFewestShared) writer.source.agreement = spearman(there, here);
    }

    // A cautious estimate of the agreement. A source that was not checked yet is not penalised.
    static double standing(const HintSource& source) {
        return source.shared < kFewestShared ? 0 : source.agreement - 1 / std::sqrt(source.shared);
    }

    static constexpr std::string_view kSeveral = "\n";
    const History& history_;
    std::map<Key, WriterResults> writers_;
};

}  // namespace

std::vector<HintSource> hint_sources(const History& history, const CandidateTable& candidates) {
    SourceCollector collector(history);
    for (const CandidateStats& stats : candidates.all()) {
        if (!stats.foreign.empty() || !stats.elsewhere.empty()) collector.add(stats);
    }
    return collector.best();
}

}  // namespace cultivar
