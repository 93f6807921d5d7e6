#include "benchmarks/replay/stop_methods.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "bandit/policy/early_stopping.h"

namespace cultivar {
namespace {

class OurStopper : public Stopper {
public:
    void begin(const History& history) override { rule_.emplace(history, kReplayBudget_s); }
    bool stop(const History&, const std::string& candidate, const std::vector<CurvePoint>& curve) override {
        return rule_->hopeless(candidate, curve).has_value();
    }

private:
    std::optional<StoppingRule> rule_;
};

class None : public Stopper {
public:
    void begin(const History&) override {}
    bool stop(const History&, const std::string&, const std::vector<CurvePoint>&) override { return false; }
};

// Checks the first point at or after each of some fractions of the budget, and compares it with the runs before.
class AtRungs : public Stopper {
public:
    explicit AtRungs(std::vector<double> rungs) : rungs_(std::move(rungs)) {}
    void begin(const History&) override { next_ = 0; }
    bool stop(const History& history, const std::string&, const std::vector<CurvePoint>& curve) override {
        const CurvePoint& now = curve.back();
        if (next_ == rungs_.size() || now.elapsed_s < rungs_[next_] * kReplayBudget_s - 1e-6) return false;
        std::vector<double>& before = seen_[next_++];
        const bool stops = worse(now.train_loss, before, history);
        before.push_back(now.train_loss);
        return stops;
    }

private:
    virtual bool worse(double loss, std::vector<double>& before, const History& history) const = 0;

    std::vector<double> rungs_;
    std::size_t next_ = 0;
    std::map<std::size_t, std::vector<double>> seen_;
};

class Median : public AtRungs {
public:
    Median() : AtRungs({0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9}) {}

private:
    bool worse(double loss, std::vector<double>& before, const History& history) const override {
        const auto completed =
            std::ranges::count_if(history.trials, [](const Trial& trial) { return trial.status == RunStatus::done; });
        if (completed < 8 || before.empty()) return false;
        std::ranges::sort(before);
        return loss > before[before.size() / 2];
    }
};

class Halving : public AtRungs {
public:
    Halving() : AtRungs({1.0 / 9, 1.0 / 3}) {}

private:
    bool worse(double loss, std::vector<double>& before, const History&) const override {
        const auto better = std::ranges::count_if(before, [&](double other) { return other < loss; });
        return better >= std::ceil((static_cast<double>(before.size()) + 1) / 3);
    }
};

}  // namespace

const std::vector<std::string>& stop_methods() {
    static const std::vector<std::string> names = {"ours", "median", "halving", "none"};
    return names;
}

std::unique_ptr<Stopper> make_stopper(const std::string& method) {
    if (method == "ours") return std::make_unique<OurStopper>();
    if (method == "median") return std::make_unique<Median>();
    if (method == "halving") return std::make_unique<Halving>();
    if (method == "none") return std::make_unique<None>();
    return nullptr;
}

}  // namespace cultivar
