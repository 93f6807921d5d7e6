#include "benchmarks/replay/noise_replay.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "bandit/policy/keep_test.h"
#include "benchmarks/common/csv_file.h"

namespace cultivar {
namespace {

constexpr double kAgain = 0.1;  // as in the planner
constexpr std::size_t kMostRuns = 8;

// A proposed configuration: its true value, and the real configuration that gives its noise.
struct Proposed {
    double truth = 0;
    const std::vector<double>* residuals = nullptr;
    std::vector<double> scores;

    double mean() const {
        return std::accumulate(scores.begin(), scores.end(), 0.0) / static_cast<double>(scores.size());
    }
};

class Climb {
public:
    Climb(const SeedNoise& noise, const Proposals& proposals, int runs, Random& random)
        : noise_(noise), proposals_(proposals), runs_(runs), random_(random) {}

    bool over() const { return done_ >= runs_; }
    double sigma() const { return noise_.sigma; }
    double run(Proposed& of) {
        ++done_;
        return of.scores.emplace_back(of.truth + (*of.residuals)[random_.below(of.residuals->size())]);
    }
    Proposed start() { return {noise_.level, &any_noise(), {}}; }
    Proposed child_of(const Proposed& parent) {
        const double step = std::abs(random_.normal()) * proposals_.scale * noise_.sigma;
        return {parent.truth + (random_.chance(proposals_.improving) ? -step : step), &any_noise(), {}};
    }
    void count(const Proposed& kept, const Proposed& parent) {
        ++result_.kept;
        result_.falsely += kept.truth >= parent.truth;
    }
    ClimbResult end(const Proposed& published, double told) {
        result_.runs = done_;
        result_.gain = (noise_.level - published.truth) / noise_.sigma;
        result_.optimism = (told - published.truth) / noise_.sigma;
        return result_;
    }

private:
    const std::vector<double>& any_noise() { return noise_.residuals[random_.below(noise_.residuals.size())]; }

    const SeedNoise& noise_;
    const Proposals& proposals_;
    int runs_, done_ = 0;
    Random& random_;
    ClimbResult result_;
};

ClimbResult climb_single(Climb climb) {
    Proposed best = climb.start();
    climb.run(best);
    while (!climb.over()) {
        Proposed child = climb.child_of(best);
        if (climb.run(child) >= best.scores.front()) continue;
        climb.count(child, best);
        best = child;
    }
    return climb.end(best, best.mean());
}

ClimbResult climb_three(Climb climb) {
    constexpr double kOneSided = 1.6448536269514722;
    Proposed best = climb.start();
    for (int i = 0; i < 3; ++i) climb.run(best);
    while (!climb.over()) {
        Proposed child = climb.child_of(best);
        for (int i = 0; i < 3; ++i) climb.run(child);
        if ((best.mean() - child.mean()) / (climb.sigma() * std::sqrt(2.0 / 3)) <= kOneSided) continue;
        climb.count(child, best);
        best = child;
    }
    return climb.end(best, best.mean());
}

// Applies the library's rules on a History as a clone would have it.
class Ours {
public:
    explicit Ours(Climb climb, Random& random) : climb_(climb), random_(random) {}

    ClimbResult run() {
        settle(add(climb_.start(), {}));
        while (!climb_.over()) {
            const std::size_t best = incumbent();
            const bool again = random_.chance(kAgain);
            if (again && all_[best].scores.size() < std::min(kMostRuns, 1 + history_.trials.size() / 10)) {
                step(best);
            } else {
                settle(add(climb_.child_of(all_[best]), {id(best)}));
            }
        }
        const std::size_t best = incumbent();
        return climb_.end(all_[best], all_[best].mean());
    }

private:
    static std::string id(std::size_t number) { return fmt::format("{:032x}", number); }

    std::size_t add(Proposed proposed, std::vector<std::string> parents) {
        all_.push_back(std::move(proposed));
        parents_.push_back(std::move(parents));
        kept_.push_back(false);
        KnownCandidate& known = history_.candidates.emplace_back();
        known.candidate.id = id(all_.size() - 1);
        known.parents = parents_.back();
        return all_.size() - 1;
    }

    Decision step(std::size_t number) {
        Trial& trial = history_.trials.emplace_back();
        trial.candidate = id(number);
        trial.score = climb_.run(all_[number]);
        trial.parents = parents_[number];
        const Decision decision = judge(history_, trial.candidate, parents_[number]).decision;
        history_.trials.back().decision = decision;
        kept_[number] = decision == Decision::kept;
        return decision;
    }

    void settle(std::size_t number) {
        Decision decision = Decision::undecided;
        while (decision == Decision::undecided && !climb_.over()) decision = step(number);
        if (decision == Decision::kept && !parents_[number].empty())
            climb_.count(all_[number], all_[std::stoul(parents_[number].front(), nullptr, 16)]);
    }

    // Returns the best kept candidate, or the start if there is none.
    std::size_t incumbent() const {
        std::size_t best = 0;
        for (std::size_t i = 1; i < all_.size(); ++i) {
            if (kept_[i] && (!kept_[best] || all_[i].mean() < all_[best].mean())) best = i;
        }
        return best;
    }

    Climb climb_;
    Random& random_;
    History history_;
    std::vector<Proposed> all_;
    std::vector<std::vector<std::string>> parents_;
    std::vector<bool> kept_;
};

}  // namespace

Result<SeedNoise> read_seeds(const std::string& path) {
    TRY_ASSIGN(const CsvFile file, read_csv(path));
    SeedNoise noise;
    noise.name = stem_of(path);
    double squares = 0, degrees = 0, total = 0;
    for (const auto& row : file.rows) {
        std::vector<double> losses;
        for (std::size_t i = 1; i < row.size(); ++i) {
            if (row[i].empty()) continue;
            auto loss = number_of(row[i]);
            if (!loss) return fail(Code::corrupt, fmt::format("'{}': '{}' is no loss", path, row[i]));
            losses.push_back(*loss);
        }
        if (losses.size() < 2) continue;
        const double n = static_cast<double>(losses.size());
        const double mean = std::accumulate(losses.begin(), losses.end(), 0.0) / n;
        for (double& loss : losses) {
            squares += (loss - mean) * (loss - mean);
            loss = (loss - mean) * std::sqrt(n / (n - 1));
        }
        degrees += n - 1;
        total += mean;
        noise.residuals.push_back(std::move(losses));
    }
    if (noise.residuals.empty() || squares <= 0)
        return fail(Code::corrupt, fmt::format("'{}' has no configuration whose seeds differ", path));
    noise.sigma = std::sqrt(squares / degrees);
    noise.level = total / static_cast<double>(noise.residuals.size());
    return noise;
}

const std::vector<std::string>& noise_methods() {
    static const std::vector<std::string> names = {"ours", "single", "three"};
    return names;
}

ClimbResult replay_climb(const SeedNoise& noise, const std::string& method, const Proposals& proposals, int runs,
                         Random& random) {
    Climb climb(noise, proposals, runs, random);
    if (method == "single") return climb_single(climb);
    if (method == "three") return climb_three(climb);
    return Ours(climb, random).run();
}

}  // namespace cultivar
