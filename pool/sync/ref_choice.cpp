#include "pool/sync/ref_choice.h"

#include <algorithm>

#include <fmt/format.h>

#include "pool/clone/clone.h"
#include "pool/lineage/candidate_commit_format.h"
#include "pool/util/sha256.h"
#include "pool/util/text.h"

namespace cultivar {
namespace {

constexpr std::string_view kHeads = "refs/heads/";
constexpr std::size_t kMostName_bytes = 400;  // a longer one is none of a pool's

bool concerns_a_pool(std::string_view name) {
    if (!name.starts_with(kHeads)) return false;
    name.remove_prefix(kHeads.size());
    for (const std::string_view part : {"candidates/", "journal/", "ledger/", "archiv"})
        if (name.starts_with(part)) return true;
    return name == "main";
}

}  // namespace

// Notes that the remote has it, and what differs.
bool RefChooser::is_known(const std::string& name, const Oid& oid) {
    const std::string here = tracking_ref(name);
    const auto at = std::ranges::lower_bound(here_, here, {}, &Ref::name);
    if (at == here_.end() || at->name != here) return false;
    seen_[static_cast<std::size_t>(at - here_.begin())] = true;
    if (at->oid != oid) (own_.contains(name) ? choice_.first : choice_.known).push_back({name, oid});
    return true;
}

// Of a well-formed name: its place in kKinds.
std::optional<std::size_t> RefChooser::kind_of(const std::string& name, const Oid& oid) {
    for (std::size_t kind = 0; kind < kKinds.size(); ++kind) {
        const std::string folder = fmt::format("{}{}/", kHeads, kKinds[kind]);
        if (!name.starts_with(folder)) continue;
        if (kind > 0)
            return is_writer(std::string_view(name).substr(folder.size())) ? std::optional(kind) : std::nullopt;
        const auto candidate = parse_candidate_branch(name);
        const bool fits = candidate && name == fmt::format("{}{}", kHeads, candidate_branch(candidate->first, oid));
        return fits ? std::optional(kind) : std::nullopt;
    }
    return std::nullopt;
}

void RefChooser::offer(std::string_view offered, std::string_view object) {
    if (!concerns_a_pool(offered) || !is_hex(object, 40)) return;
    choice_.has_main = choice_.has_main || offered == "refs/heads/main";
    if (offered.size() > kMostName_bytes) {
        ++choice_.left;
        return;
    }
    OfferedRef ref{std::string(offered), Oid(object)};
    if (is_known(ref.name, ref.oid)) return;
    const auto kind = kind_of(ref.name, ref.oid);
    if (own_.contains(ref.name)) {
        choice_.first.push_back(std::move(ref));
    } else if (kind) {
        draw(*kind, std::move(ref));
    } else if (choice_.strange.size() < RefChoice::kMostStrange) {
        choice_.strange.push_back(std::move(ref));
    } else {
        ++choice_.left;
    }
}

void RefChooser::drop(Kind& kind, const std::string& lot) {
    const auto at = kind.by_lot.find(lot);
    const auto of_object = kind.lots_of.find(at->second.oid);
    of_object->second.erase(lot);
    if (of_object->second.empty()) kind.lots_of.erase(of_object);
    kind.by_lot.erase(at);
    ++choice_.left;
}

// Asked once for each object with many names.
const std::optional<std::string>& RefChooser::right_name_of(std::size_t number, const Oid& oid) {
    auto& known = kinds_[number].right_names;
    if (known.size() >= kMostRightNames) known.clear();
    const auto [right, is_new] = known.emplace(oid, std::nullopt);
    if (is_new && right_name_) right->second = right_name_(kKinds[number], oid);
    return right->second;
}

// Of an object with too many names: all but the right one go where that is known, else that of the greatest lot.
void RefChooser::thin(std::size_t number, const Oid& oid) {
    Kind& kind = kinds_[number];
    const std::optional<std::string>& right = right_name_of(number, oid);
    const std::set<std::string> lots = kind.lots_of.at(oid);
    if (!right) return drop(kind, *lots.rbegin());
    for (const std::string& lot : lots) {
        if (kind.by_lot.at(lot).name != *right) drop(kind, lot);
    }
}

// The least lots are kept: of each object, and in all.
void RefChooser::draw(std::size_t number, OfferedRef ref) {
    Kind& kind = kinds_[number];
    const auto here = names_here_.find(ref.oid);
    const bool has_many = here != names_here_.end() && here->second >= RefChoice::kMostOfObject;
    const auto judged = kind.right_names.find(ref.oid);
    const bool is_judged = judged != kind.right_names.end() && judged->second;
    if ((has_many || is_judged) && right_name_of(number, ref.oid) != ref.name) {
        ++choice_.left;
        return;
    }
    const std::string lot = sha256_hex(secret_ + ref.name);
    const Oid oid = ref.oid;
    kind.by_lot.emplace(lot, std::move(ref));
    std::set<std::string>& lots = kind.lots_of[oid];
    lots.insert(lot);
    if (lots.size() > RefChoice::kMostOfObject) thin(number, oid);
    if (kind.by_lot.size() > RefChoice::kMostFresh) drop(kind, kind.by_lot.rbegin()->first);
}

RefChoice RefChooser::choose() {
    std::array<std::map<std::string, OfferedRef>::iterator, kKinds.size()> next;
    std::size_t open = 0;
    for (std::size_t kind = 0; kind < kKinds.size(); ++kind) {
        next[kind] = kinds_[kind].by_lot.begin();
        open += kinds_[kind].by_lot.size();
    }
    for (std::size_t kind = 0; open > 0 && choice_.fresh.size() < RefChoice::kMostFresh;
         kind = (kind + 1) % kKinds.size()) {
        if (next[kind] == kinds_[kind].by_lot.end()) continue;
        choice_.fresh.push_back(std::move(next[kind]->second));
        ++next[kind];
        --open;
    }
    choice_.left += open;
    for (std::size_t i = 0; i < here_.size(); ++i) {
        if (!seen_[i]) choice_.gone.insert(here_[i].name);
    }
    return std::move(choice_);
}

}  // namespace cultivar
