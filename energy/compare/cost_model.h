// The cost of both arms as sums of terms, each a product of one amount and of the uncertain figures that it rests on.
//
//   energy, carbon, water of a run = amount x meter x grid x ...      each figure is 1 as stated
//
// So one figure can be moved in both arms at once, within its bounds or beyond them, without pricing anything again. A figure
// that both arms share moves both: its error cancels as far as it weighs alike in them. These are shared:
//   meter      joules of one method on one machine
//   water      a zone's factor off site, and its factor on site
//   network    kWh per GB
//   embodied   the making of a machine of one zone
//   pue        of a zone
// The carbon of a grid is not: its bounds are those of an hour, and two arms run in different hours. A series has no bounds.
#pragma once

#include <array>
#include <map>
#include <string>
#include <vector>

#include "energy/compare/cut.h"

namespace cultivar {

enum class Measure { energy, carbon_average, carbon_marginal, water };
inline constexpr int kMeasures = 4;

struct Accounting {
    Measure measure = Measure::energy;
    MachineAxis machine = kAboveIdle;

    bool operator==(const Accounting&) const = default;
};
inline constexpr std::array<Accounting, 8> kAccountings = {{{Measure::energy, kAboveIdle},
                                                            {Measure::energy, kGross},
                                                            {Measure::carbon_average, kAboveIdle},
                                                            {Measure::carbon_average, kGross},
                                                            {Measure::carbon_marginal, kAboveIdle},
                                                            {Measure::carbon_marginal, kGross},
                                                            {Measure::water, kAboveIdle},
                                                            {Measure::water, kGross}}};

enum class SourceKind { meter, pue, grid, water, network, embodied, idle };

struct Source {
    SourceKind kind = SourceKind::meter;
    std::string name{};
    double value = 0, low = 0, high = 0;  // sums of the amounts that rest on it, as stated and at its bounds

    double least() const { return value > 0 ? low / value : 1; }
    double most() const { return value > 0 ? high / value : 1; }
};

// What was spent up to the cut, of one repeat, beside the terms.
struct Tally {
    bool is_reached = false;
    std::optional<double> best_loss{};
    double runs = 0, elapsed_s = 0, machine_s = 0, bytes = 0, peak_w = 0;
    std::optional<double> flops{};  // none: a run does not tell
    double joules[kMachineAxes]{}, verification_joules[kMachineAxes]{}, network_joules = 0;
    double water_on_l[kMachineAxes]{}, water_off_l[kMachineAxes]{};
    double embodied_g = 0;
};

// What an arm's figures lack.
struct Lacks {
    double unpriced_joules[kMeasures]{};  // no factor
    double without_idle_joules = 0;       // no idle power was measured: gross is a lower bound
    double unmade_s = 0;                  // machine time without an embodied factor
    double unrouted_bytes = 0;            // no network factor
};

class CostModel {
public:
    using Moved = std::vector<double>;  // of each source: a multiplier of its figure
    // The two arms, cut at the target. `factors` must outlive the model.
    CostModel(const Arm& first, const Arm& second, const Target& target, const Factors& factors);

    const std::vector<Source>& sources() const { return sources_; }
    Moved as_stated(MachineAxis machine) const;  // above idle: no idle joules and nothing embodied
    std::vector<double> costs(std::size_t arm, Measure measure, const Moved& moved) const;  // of each repeat
    bool rests_on(std::size_t arm, Measure measure, std::size_t source) const;
    const std::vector<Tally>& tallies(std::size_t arm) const { return arms_[arm].tallies; }
    const Lacks& lacks(std::size_t arm) const { return arms_[arm].lacks; }
    const std::set<const Factor*>& used() const { return used_; }

private:
    static constexpr int kNone = -1;
    using Rests = std::array<int, 4>;  // numbers of sources
    struct Spent {
        std::map<Rests, double> terms[kMeasures]{};
    };
    struct Priced {
        std::vector<Tally> tallies{};
        std::vector<Spent> repeats{};
        Lacks lacks{};
    };

    void take(std::size_t arm, const Repeat& repeat, const Cut& cut);
    void price(std::size_t arm, Tally& tally, Spent& spent, const SpentUse& use, double weight);
    void price_water(const SpentUse& use, const Account& account, double weight, int meter, Tally& tally, Spent& spent);
    void price_carbon(std::size_t arm, const SpentUse& use, const Account& account, double weight, int meter,
                      Spent& spent);
    int source(SourceKind kind, const std::string& name, const Range& range);

    const Factors& factors_;
    std::vector<Source> sources_{};
    std::map<std::pair<SourceKind, std::string>, int> numbers_{};
    std::array<Priced, 2> arms_{};
    std::set<const Factor*> used_{};
};

}  // namespace cultivar
