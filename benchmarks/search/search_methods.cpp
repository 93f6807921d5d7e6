#include "benchmarks/search/search_methods.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "bandit/model/tpe.h"
#include "bandit/proposals/mutation.h"
#include "bandit/space/coordinates.h"
#include "benchmarks/search/search_planner.h"

namespace cultivar {
namespace {

constexpr int kTries = 200;  // limit for finding a neighbour that has a row and is new
constexpr int kTpeSamples = 24;
constexpr double kTemperature = 0.05;

// The base of the simple methods: it keeps the mean loss of each row that ran.
class Simple : public SearchMethod {
public:
    Simple(const SearchTable& table, std::uint64_t seed, std::size_t first_rows)
        : table_(table), random_(seed), first_(first_rows_of(table, seed, first_rows)) {}

    std::optional<Launch> next() override {
        std::size_t row = launched_ < first_.size() ? first_[launched_] : choose();
        ++launched_;
        seen_.insert(row);
        return Launch{row};
    }

    void finished(const Launch& launch, double loss) override {
        Ran& ran = ran_[launch.row];
        ran.mean += (loss - ran.mean) / ++ran.runs;
        order_.push_back(launch.row);
    }

    std::size_t best() const override {
        return std::ranges::min_element(ran_, {}, [](const auto& entry) { return entry.second.mean; })->first;
    }

protected:
    struct Ran {
        double mean = 0;
        int runs = 0;
    };

    virtual std::size_t choose() = 0;

    std::size_t anywhere() { return random_.below(table_.rows()); }

    std::size_t anywhere_new() {
        std::size_t row = anywhere();
        while (seen_.size() < table_.rows() && seen_.contains(row)) row = anywhere();
        return row;
    }

    // Returns a new neighbour of the row, or any new row if none was found.
    std::size_t mutated(std::size_t row) {
        const Genes base = table_.genes(row);
        const History nothing;
        const Experience none(table_.space(), CandidateTable(nothing));
        for (int i = 0; i < kTries; ++i) {
            auto child = mutate(table_.space(), base, GeneKind::plain, none, 0, random_);
            auto found = child ? table_.find(*child) : std::nullopt;
            if (found && !seen_.contains(*found)) return *found;
        }
        return anywhere_new();
    }

    const SearchTable& table_;
    Random random_;
    std::vector<std::size_t> first_;
    std::size_t launched_ = 0;
    std::set<std::size_t> seen_;
    std::map<std::size_t, Ran> ran_;
    std::vector<std::size_t> order_;  // in the order in which they finished
};

class RandomSearch final : public Simple {
public:
    RandomSearch(const SearchTable& table, std::uint64_t seed) : Simple(table, seed, kFirstRows) {}

private:
    std::size_t choose() override { return anywhere(); }
};

class KeepOrDiscard final : public Simple {
public:
    KeepOrDiscard(const SearchTable& table, std::uint64_t seed) : Simple(table, seed, 1) {}

private:
    std::size_t choose() override { return mutated(ran_.empty() ? first_.front() : best()); }
};

class SoftmaxOfLevels final : public Simple {
public:
    SoftmaxOfLevels(const SearchTable& table, std::uint64_t seed) : Simple(table, seed, kFirstRows) {}

private:
    std::size_t choose() override {
        if (ran_.empty()) return anywhere_new();
        std::vector<std::size_t> rows;
        std::vector<double> means;
        for (const auto& [row, ran] : ran_) rows.push_back(row), means.push_back(ran.mean);
        std::vector<double> sorted = means;
        std::ranges::sort(sorted);
        double best = sorted.front(), median = sorted[sorted.size() / 2];
        std::vector<double> weights;
        for (double mean : means) {
            double level = median > best ? std::clamp((median - mean) / (median - best), 0.0, 1.0) : 1;
            weights.push_back(std::exp((level - 1) / kTemperature));
        }
        return mutated(rows[random_.pick(weights)]);
    }
};

class TpeAlone final : public Simple {
public:
    TpeAlone(const SearchTable& table, std::uint64_t seed) : Simple(table, seed, kFirstRows) {}

private:
    std::size_t choose() override {
        std::vector<Genes> genes;
        std::vector<Observation> observations;
        std::set<std::size_t> told;
        for (std::size_t row : order_) {
            if (told.insert(row).second) genes.push_back(table_.genes(row));
        }
        told.clear();
        for (std::size_t row : order_) {
            if (told.insert(row).second) observations.push_back({&genes[observations.size()], ran_.at(row).mean});
        }
        if (observations.empty()) return anywhere_new();
        Parzen model(table_.space(), observations);
        double highest = -std::numeric_limits<double>::infinity();
        std::optional<std::size_t> chosen;
        for (int i = 0, fitting = 0; i < kTries && fitting < kTpeSamples; ++i) {
            Genes sample = model.sample(genes.front(), 1, random_);
            auto row = table_.find(sample);
            if (!row) continue;
            ++fitting;
            double gain = model.gain(sample);
            if (seen_.contains(*row) || gain <= highest) continue;
            highest = gain;
            chosen = row;
        }
        return chosen ? *chosen : mutated(best());
    }
};

}  // namespace

const std::vector<std::string_view>& search_methods() {
    static const std::vector<std::string_view> kNames = {"ours", "random", "keep", "softmax", "tpe"};
    return kNames;
}

std::vector<std::size_t> first_rows_of(const SearchTable& table, std::uint64_t seed, std::size_t count) {
    Random random(seed);
    std::vector<std::size_t> rows;
    while (rows.size() < std::min(count, table.rows())) {
        std::size_t row = random.below(table.rows());
        if (std::ranges::find(rows, row) == rows.end()) rows.push_back(row);
    }
    return rows;
}

std::unique_ptr<SearchMethod> make_search_method(std::string_view name, const SearchTable& table, std::uint64_t seed,
                                                 const Prelude& prelude) {
    if (name == "ours") return std::make_unique<PlannedSearch>(table, seed, prelude);
    if (name == "random") return std::make_unique<RandomSearch>(table, seed);
    if (name == "keep") return std::make_unique<KeepOrDiscard>(table, seed);
    if (name == "softmax") return std::make_unique<SoftmaxOfLevels>(table, seed);
    if (name == "tpe") return std::make_unique<TpeAlone>(table, seed);
    return nullptr;
}

}  // namespace cultivar
