// Which figure, changed how far, changes a finding.
#include <algorithm>
#include <cmath>

#include "energy/compare/judge.h"

namespace cultivar {
namespace {

constexpr double kFarthest = 100;  // multiples of a stated figure
constexpr int kSteps = 24, kHalvings = 20;

// The sources of one kind, moved together.
class Knob {
public:
    Knob(const CostModel& model, const Judged& judged, const Pairs& pairs, SourceKind kind)
        : model_(model), judged_(judged), pairs_(pairs), kind_(kind) {}

    bool matters() const {
        for (std::size_t i = 0; i < model_.sources().size(); ++i) {
            const bool used =
                model_.rests_on(0, judged_.accounting.measure, i) || model_.rests_on(1, judged_.accounting.measure, i);
            if (used && model_.sources()[i].kind == kind_) return true;
        }
        return false;
    }
    // The nearest change between `from` and `to`.
    std::optional<Flip> flip(double from, double to) const {
        const auto at = [&](double part) {
            return is_share() ? from + part * (to - from) : from * std::pow(to / from, part);
        };
        double same = 0;
        for (int step = 1; step <= kSteps; ++step) {
            double other = static_cast<double>(step) / kSteps;
            if (finding(at(other)) == judged_.finding) {
                same = other;
                continue;
            }
            for (int i = 0; i < kHalvings; ++i) {
                const double middle = (same + other) / 2;
                (finding(at(middle)) == judged_.finding ? same : other) = middle;
            }
            return Flip{judged_.accounting,  kind_, is_share(), from, at(other), finding(at(other)),
                        is_within(at(other))};
        }
        return std::nullopt;
    }
    bool is_share() const { return kind_ == SourceKind::idle; }

private:
    Finding finding(double figure) const {
        CostModel::Moved moved = model_.as_stated(judged_.accounting.machine);
        for (std::size_t i = 0; i < moved.size(); ++i) {
            if (model_.sources()[i].kind == kind_) moved[i] = figure;
        }
        return judge(model_, judged_.accounting, moved, pairs_).finding;
    }
    bool is_within(double figure) const {
        double least = 1, most = 1;
        for (const Source& source : model_.sources()) {
            if (source.kind == kind_) least = std::min(least, source.least()), most = std::max(most, source.most());
        }
        return is_share() || (figure >= least && figure <= most);
    }

    const CostModel& model_;
    const Judged& judged_;
    const Pairs& pairs_;
    const SourceKind kind_;
};

}  // namespace

std::vector<Flip> flips_of(const CostModel& model, const Judged& judged, const Pairs& pairs) {
    std::vector<Flip> flips;
    if (!judged.chance) return flips;
    for (const SourceKind kind : {SourceKind::idle, SourceKind::embodied, SourceKind::network, SourceKind::water}) {
        const Knob knob(model, judged, pairs, kind);
        const bool gross = judged.accounting.machine == kGross;
        if (!knob.matters() || (kind == SourceKind::embodied && !gross)) continue;
        if (knob.is_share()) {
            if (const auto flip = knob.flip(gross ? 1 : 0, gross ? 0 : 1)) flips.push_back(*flip);
            continue;
        }
        for (const double to : {1 / kFarthest, kFarthest}) {
            if (const auto flip = knob.flip(1, to)) flips.push_back(*flip);
        }
    }
    return flips;
}

}  // namespace cultivar
