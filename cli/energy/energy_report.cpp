#include "cli/energy/energy_report.h"

#include <algorithm>
#include <array>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "cli/energy/energy_stretch.h"
#include "pool/util/split_mix.h"
#include "pool/util/utc_time.h"

namespace cultivar {
namespace {

constexpr std::array<std::string_view, 7> kLines = {"search",       "failed",   "stopped", "rejected",
                                                    "verification", "proposer", "network"};
constexpr std::size_t kSearch = 0, kRejected = 3, kNetwork = 6, kNone = static_cast<std::size_t>(-1);

constexpr std::array<std::pair<std::string_view, EnergyBy>, 8> kKeys = {{{"run", EnergyBy::run},
                                                                         {"candidate", EnergyBy::candidate},
                                                                         {"lineage", EnergyBy::lineage},
                                                                         {"operator", EnergyBy::operator_name},
                                                                         {"contributor", EnergyBy::contributor},
                                                                         {"category", EnergyBy::category},
                                                                         {"day", EnergyBy::day},
                                                                         {"zone", EnergyBy::zone}}};

// The candidate without parents that a candidate descends from, by first parents.
class Roots {
public:
    explicit Roots(const std::vector<CandidateRow>& candidates) {
        for (const CandidateRow& one : candidates) first_[one.id] = one.parents.empty() ? "" : one.parents.front();
    }
    const std::string& of(const std::string& candidate) {
        const std::string* at = &candidate;
        for (int steps = 0; steps < kMostSteps; ++steps) {
            const auto found = first_.find(*at);
            if (found == first_.end() || found->second.empty()) break;
            at = &found->second;
        }
        return *at;
    }

private:
    static constexpr int kMostSteps = 100'000;
    std::unordered_map<std::string, std::string> first_;
};

struct PlaceKey {
    std::size_t row = 0, line = 0, zone = 0;
    std::int64_t slot = 0;
    bool is_long = false;

    bool operator==(const PlaceKey&) const = default;
};

struct PlaceHash {
    std::size_t operator()(const PlaceKey& key) const {
        std::uint64_t state = key.row;
        for (const std::uint64_t one : {key.line * 2 + key.is_long, key.zone, static_cast<std::size_t>(key.slot)})
            state = splitmix64(state) ^ one;
        return splitmix64(state);
    }
};

// Adds up joules by row, line, zone and slot; prices come last, once for each sum.
class Adder {
public:
    Adder(Index& index, const Factors& factors, const EnergyQuery& query)
        : index_(index), factors_(factors), query_(query), slots_matter_(factors.has_series()) {}

    Result<EnergyReport> add_all() {
        TRY(load());
        TRY(index_.each_energy([this](const EnergyPart& part) { take(part); }));
        price();
        TRY(add_gains());
        arrange();
        return std::move(report_);
    }

private:
    Result<void> load();
    Result<void> load_owners();
    Result<void> load_lineage();
    void take(const EnergyPart& part);
    // Do rows need the run or the verdict that a part is of?
    bool rests_on_owners() const {
        return !query_.id.empty() || query_.by == EnergyBy::run || query_.by == EnergyBy::candidate ||
               query_.by == EnergyBy::lineage;
    }
    std::size_t row_of_owner(const EnergyPart& part);
    std::size_t row_of(const EnergyPart& part);
    std::size_t row_named(const std::string& key);
    std::size_t line_of(const EnergyPart& part) const;
    void add(std::size_t row, std::size_t line, const EnergyPart& part);
    void price();
    Result<void> add_gains();
    void arrange();

    struct Place {
        std::size_t row = 0, line = 0;
        std::string zone{};
        EnergyStretch use{};
        double bytes = 0;
    };
    static std::int64_t owner_key(bool is_verdict, std::int64_t owner) { return 2 * owner + is_verdict; }

    Index& index_;
    const Factors& factors_;
    const EnergyQuery& query_;
    const bool slots_matter_;
    EnergyReport report_;
    std::vector<EnergyGroup> groups_{};                          // by EnergyGroup::id
    std::vector<std::size_t> lines_{}, zones_{}, group_rows_{};  // of a group
    std::unordered_map<std::string, std::size_t> rows_{}, zone_numbers_{};
    std::unordered_map<std::int64_t, EnergyOwner> owners_{};
    std::unordered_set<std::int64_t> rejected_{};
    std::unordered_set<std::string> ancestors_{};
    std::optional<Roots> roots_;
    std::unordered_map<PlaceKey, Place, PlaceHash> places_{};
    std::map<std::string, std::array<Range, kMachineAxes>> categories_{};
    std::int64_t last_owner_ = -1;
    std::array<std::int64_t, kLines.size()> last_of_line_{-1, -1, -1, -1, -1, -1, -1};
    std::size_t last_row_ = kNone;
};

Result<void> Adder::load() {
    TRY_ASSIGN(const std::vector<EnergyGroup> groups, index_.energy_groups());
    for (const EnergyGroup& one : groups) {
        const auto at = static_cast<std::size_t>(one.id);
        if (groups_.size() <= at) groups_.resize(at + 1), lines_.resize(at + 1), zones_.resize(at + 1);
        groups_[at] = one;
        const auto line = std::ranges::find(kLines, one.line);
        lines_[at] = line == kLines.end() ? kSearch : static_cast<std::size_t>(line - kLines.begin());
        zones_[at] = zone_numbers_.try_emplace(one.zone, zone_numbers_.size()).first->second;
    }
    group_rows_.assign(groups_.size(), kNone);
    for (const std::string_view line : kLines) report_.lines.emplace_back().key = line;
    report_.total.key = "total";
    TRY_ASSIGN(const std::vector<std::int64_t> rejected, index_.rejected_runs());
    rejected_.insert(rejected.begin(), rejected.end());
    return load_owners();
}

// Runs are many: they are read only where a row needs them.
Result<void> Adder::load_owners() {
    TRY_ASSIGN(std::vector<EnergyOwner> owners, index_.energy_owners(!rests_on_owners()));
    for (EnergyOwner& one : owners) owners_.emplace(owner_key(one.is_verdict, one.owner), std::move(one));
    return query_.by == EnergyBy::lineage || !query_.id.empty() ? load_lineage() : Result<void>();
}

Result<void> Adder::load_lineage() {
    TRY_ASSIGN(const std::vector<CandidateRow> candidates, index_.candidates());
    if (query_.id.empty()) return roots_.emplace(candidates), Result<void>();
    std::unordered_map<std::string, const std::vector<std::string>*> parents;
    for (const CandidateRow& one : candidates) parents[one.id] = &one.parents;
    std::vector<std::string> open = {query_.id};
    while (!open.empty()) {
        const std::string one = std::move(open.back());
        open.pop_back();
        if (!ancestors_.insert(one).second || !parents.contains(one)) continue;
        open.insert(open.end(), parents[one]->begin(), parents[one]->end());
    }
    return {};
}

std::size_t Adder::row_named(const std::string& key) {
    const auto [found, fresh] = rows_.try_emplace(key, report_.rows.size());
    if (fresh) report_.rows.emplace_back().key = key;
    return found->second;
}

std::size_t Adder::row_of_owner(const EnergyPart& part) {
    const auto owner = owners_.find(owner_key(part.is_verdict, part.owner));
    if (owner == owners_.end()) return row_named("unknown");
    const EnergyOwner& one = owner->second;
    if (!query_.id.empty()) {
        if (one.id == query_.id || one.candidate == query_.id) return row_named("itself");
        return ancestors_.contains(one.candidate) ? row_named("its ancestors") : kNone;
    }
    if (query_.by == EnergyBy::run) return row_named(one.id);
    return row_named(query_.by == EnergyBy::candidate ? one.candidate : roots_->of(one.candidate));
}

std::size_t Adder::row_of(const EnergyPart& part) {
    if (rests_on_owners()) return row_of_owner(part);
    if (!query_.by) return kNone;
    const EnergyGroup& group = groups_[static_cast<std::size_t>(part.group)];
    if (*query_.by == EnergyBy::day) return row_named(utc_text(part.start_s).substr(0, 10));
    std::size_t& row = group_rows_[static_cast<std::size_t>(part.group)];
    if (*query_.by == EnergyBy::category && part.is_verdict) {
        const auto owner = owners_.find(owner_key(true, part.owner));
        return row_named(owner == owners_.end() ? "" : owner->second.category);
    }
    if (row != kNone) return row;
    if (*query_.by == EnergyBy::contributor) return row = row_named(group.key);
    if (*query_.by == EnergyBy::category) return row = row_named(group.category);
    if (*query_.by == EnergyBy::zone) return row = row_named(group.zone.empty() ? "unknown" : group.zone);
    return row = row_named(group.operator_name.empty() ? "verification" : group.operator_name);
}

std::size_t Adder::line_of(const EnergyPart& part) const {
    const std::size_t line = lines_[static_cast<std::size_t>(part.group)];
    return line == kSearch && !rejected_.empty() && rejected_.contains(part.owner) ? kRejected : line;
}

void Adder::take(const EnergyPart& part) {
    const std::size_t row = row_of(part);
    if (row == kNone && !query_.id.empty()) return;
    const std::size_t line = line_of(part);
    const std::int64_t owner = owner_key(part.is_verdict, part.owner);
    if (owner != last_owner_) ++report_.total.runs;
    if (std::exchange(last_of_line_[line], owner) != owner) ++report_.lines[line].runs;
    if (row != kNone && (owner != last_owner_ || row != last_row_)) ++report_.rows[row].runs;
    last_owner_ = owner, last_row_ = row;
    add(row, line, part);
}

void Adder::add(std::size_t row, std::size_t line, const EnergyPart& part) {
    const auto group_at = static_cast<std::size_t>(part.group);
    const bool is_long = slots_matter_ && part.length_s > kQuarter_s;
    const PlaceKey key{row, line, zones_[group_at], slots_matter_ ? part.start_s / kQuarter_s : 0, is_long};
    const EnergyGroup& group = groups_[group_at];
    const EnergyStretch one = stretch_of(part);
    const auto [found, fresh] = places_.try_emplace(key);
    Place& place = found->second;
    if (fresh) {
        place.row = row, place.line = line, place.zone = group.zone;
        place.use.start_s = one.start_s, place.use.length_s = one.length_s;
    }
    place.bytes += static_cast<double>(part.bytes);
    EnergyStretch& use = place.use;
    const Range &above = one.joules[kAboveIdle], &gross = one.joules[kGross];
    use.joules[kAboveIdle] += above;
    use.joules[kGross] += gross;
    use.without_gross_joules += one.without_gross_joules;
    use.machine_s += one.machine_s;
    if (group.is_spread) report_.spread_joules += part.above;
    report_.total.methods[group.method] += gross.value;
    if (query_.by || !query_.id.empty()) return;
    const auto verdict = part.is_verdict ? owners_.find(owner_key(true, part.owner)) : owners_.end();
    auto& category = categories_[verdict == owners_.end() ? group.category : verdict->second.category];
    category[kAboveIdle] += above, category[kGross] += gross;
}

void Adder::price() {
    for (auto& [key, place] : places_) {
        Account account;
        place.use.zone = place.zone;
        place.use.is_cooled = place.line != kNetwork;
        if (place.line == kNetwork) {
            const auto joules = network_joules(place.bytes, factors_, account);
            for (Range& axis : place.use.joules) axis = joules.value_or(Range());
        }
        add_use(account, place.use, factors_);
        report_.total.account += account;
        report_.lines[place.line].account += account;
        if (place.row != kNone) report_.rows[place.row].account += account;
    }
}

Result<void> Adder::add_gains() {
    if (query_.by || !query_.id.empty()) return {};
    TRY_ASSIGN(const std::vector<VerifiedImprovement> improvements, index_.verified_improvements());
    for (const VerifiedImprovement& one : improvements) {
        EnergyGain gain{one, {}};
        const auto found = categories_.find(one.category);
        for (const MachineAxis axis : {kAboveIdle, kGross}) {
            if (found != categories_.end()) gain.joules[axis] = found->second[axis];
        }
        report_.gains.push_back(gain);
    }
    return {};
}

void Adder::arrange() {
    std::erase_if(report_.lines,
                  [](const EnergyRow& one) { return one.runs == 0 && one.account.joules[kGross] == Range(); });
    if (query_.by == EnergyBy::day) return std::ranges::sort(report_.rows, {}, &EnergyRow::key), void();
    std::ranges::sort(report_.rows, [](const EnergyRow& one, const EnergyRow& other) {
        const double a = one.account.joules[kGross].value, b = other.account.joules[kGross].value;
        return a != b ? a > b : one.key < other.key;
    });
}

}  // namespace

std::optional<EnergyBy> energy_by(std::string_view name) {
    const auto found = std::ranges::find(kKeys, name, &std::pair<std::string_view, EnergyBy>::first);
    return found == kKeys.end() ? std::nullopt : std::optional(found->second);
}

Result<EnergyReport> energy_report(Index& index, const Factors& factors, const EnergyQuery& query) {
    return Adder(index, factors, query).add_all();
}

}  // namespace cultivar
