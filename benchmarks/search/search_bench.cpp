// search_bench --evaluations N --repeats R --workers W --method M [--known N] [--forged N] [--elsewhere FILE] FILE...
//
// Measures how well a method chooses: for each table of real trainings, the true mean of the row that it would publish
// after a number of runs, averaged over the repeats. Every run counts, re-runs included. W workers are simulated; each
// run takes a log-normal time (sigma 0.5), and the method knows the runs under way. Prints a line of JSON per table:
//
//   {"table":..., "method":..., "workers":W, "repeats":R,
//    "regret":{"10":{"mean":..., "lo":..., "hi":...}, ...},   95 % bootstrap intervals; 0: the best, 1: the median row
//    "duplicates":...,     share of the launches that repeat a known row unintentionally
//    "propose_ms":...}     mean processor time to choose a run
//
// The pool may have contents before `ours` begins: --known N own results of random rows (how long a plan takes then);
// --forged N unverified results of random rows, each better than any true one (the cost of lies); --elsewhere FILE: 100
// runs on another table of the same space, by another writer in another category (the value of a laptop's pool for a
// server's). The line then has "known":N, "forged":N, "elsewhere":"TABLE".
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "benchmarks/common/spread_json.h"
#include "benchmarks/search/search_methods.h"

namespace cultivar {
namespace {

constexpr double kSpeedSigma = 0.5;

struct Options {
    int evaluations = 200, repeats = 30, workers = 1;
    std::string method = "ours", elsewhere{};
    Prelude prelude{};
    std::vector<std::string> files;
};

struct Search {
    std::vector<double> regret;  // after each checkpoint
    int launches = 0, duplicates = 0;
    double propose_s = 0;
};

std::vector<int> checkpoints(int evaluations) {
    std::vector<int> points;
    for (int point : {10, 25, 50, 100, 200}) {
        if (point < evaluations) points.push_back(point);
    }
    points.push_back(evaluations);
    return points;
}

class Simulation {
public:
    Simulation(const SearchTable& table, SearchMethod& method, const Options& options, std::uint64_t seed)
        : table_(table), method_(method), options_(options), luck_(seed ^ 0x5eedULL), idle_(options.workers) {}

    Search run() {
        std::vector<int> points = checkpoints(options_.evaluations);
        for (int done = 0; search_.regret.size() < points.size();) {
            launch();
            if (under_way_.empty()) break;  // nothing is left to try
            auto first = under_way_.extract(under_way_.begin());
            now_s_ = first.key();
            method_.finished(first.mapped(), table_.draw(first.mapped().row, luck_));
            ++idle_;
            if (++done == points[search_.regret.size()]) search_.regret.push_back(table_.regret(method_.best()));
        }
        search_.regret.resize(points.size(), table_.regret(method_.best()));
        return search_;
    }

private:
    void launch() {
        while (idle_ > 0 && search_.launches < options_.evaluations) {
            const std::clock_t began = std::clock();
            auto next = method_.next();
            if (!next) return;
            search_.propose_s += static_cast<double>(std::clock() - began) / CLOCKS_PER_SEC;
            ++search_.launches;
            bool known = !launched_.emplace(next->row, true).second;
            search_.duplicates += known && !next->again;
            under_way_.emplace(now_s_ + std::exp(kSpeedSigma * luck_.normal()), *next);
            --idle_;
        }
    }

    const SearchTable& table_;
    SearchMethod& method_;
    const Options& options_;
    Random luck_;
    int idle_;
    double now_s_ = 0;
    std::multimap<double, Launch> under_way_;  // by end time
    std::map<std::size_t, bool> launched_;
    Search search_;
};

nlohmann::ordered_json measure(const SearchTable& table, const Options& options) {
    std::vector<int> points = checkpoints(options.evaluations);
    std::vector<std::vector<double>> regrets(points.size());
    double launches = 0, duplicates = 0, propose_s = 0;
    for (int repeat = 0; repeat < options.repeats; ++repeat) {
        auto seed = static_cast<std::uint64_t>(repeat);
        auto method = make_search_method(options.method, table, seed, options.prelude);
        Search search = Simulation(table, *method, options, seed).run();
        for (std::size_t i = 0; i < points.size(); ++i) regrets[i].push_back(search.regret[i]);
        launches += search.launches;
        duplicates += search.duplicates;
        propose_s += search.propose_s;
    }
    nlohmann::ordered_json regret;
    for (std::size_t i = 0; i < points.size(); ++i) regret[std::to_string(points[i])] = json_of(mean_of(regrets[i]));
    nlohmann::ordered_json line = {{"table", table.name()},
                                   {"method", options.method},
                                   {"workers", options.workers},
                                   {"repeats", options.repeats}};
    if (options.prelude.known > 0) line["known"] = options.prelude.known;
    if (options.prelude.forged > 0) line["forged"] = options.prelude.forged;
    if (options.prelude.elsewhere != nullptr) line["elsewhere"] = options.prelude.elsewhere->name();
    line["regret"] = regret;
    line["duplicates"] = duplicates / launches;
    line["propose_ms"] = 1000 * propose_s / launches;
    return line;
}

Result<Options> read_options(const std::vector<std::string>& words) {
    Options options;
    std::map<std::string, int*> numbers = {{"--evaluations", &options.evaluations},
                                           {"--repeats", &options.repeats},
                                           {"--workers", &options.workers},
                                           {"--known", &options.prelude.known},
                                           {"--forged", &options.prelude.forged}};
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (!words[i].starts_with("--")) {
            options.files.push_back(words[i]);
            continue;
        }
        if (i + 1 == words.size()) return fail(Code::usage, fmt::format("'{}' needs a value", words[i]));
        const std::string& value = words[i + 1];
        if (auto number = numbers.find(words[i]); number != numbers.end()) {
            auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), *number->second);
            if (error != std::errc() || end != value.data() + value.size() || *number->second < 1)
                return fail(Code::usage, fmt::format("'{}' is no count", value));
        } else if (words[i] == "--method") {
            options.method = value;
        } else if (words[i] == "--elsewhere") {
            options.elsewhere = value;
        } else {
            return fail(Code::usage, fmt::format("no option '{}'", words[i]));
        }
        ++i;
    }
    if (options.files.empty()) return fail(Code::usage, "no table given");
    if (options.method != "ours" && (options.prelude.known + options.prelude.forged > 0 || !options.elsewhere.empty()))
        return fail(Code::usage, fmt::format("'{}' searches alone: only 'ours' has a pool", options.method));
    if (std::ranges::find(search_methods(), options.method) == search_methods().end())
        return fail(Code::usage, fmt::format("no method '{}': {}", options.method, fmt::join(search_methods(), ", ")));
    return options;
}

Result<void> bench(const std::vector<std::string>& words) {
    TRY_ASSIGN(Options options, read_options(words));
    std::optional<SearchTable> elsewhere;
    if (!options.elsewhere.empty()) {
        TRY_ASSIGN(elsewhere, SearchTable::load(options.elsewhere));
        options.prelude.elsewhere = &*elsewhere;
    }
    for (const std::string& file : options.files) {
        TRY_ASSIGN(const SearchTable table, SearchTable::load(file));
        fmt::print("{}\n", measure(table, options).dump());
        std::fflush(stdout);
    }
    return {};
}

}  // namespace
}  // namespace cultivar

int main(int count, char** words) {
    auto done = cultivar::bench({words + 1, words + count});
    if (done) return 0;
    fmt::print(stderr, "search_bench: {}\n", done.error().message);
    return done.error().code == cultivar::Code::usage ? 129 : 128;
}
