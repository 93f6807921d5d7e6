#include "pool/types/audit.h"

#include <algorithm>
#include <array>

namespace cultivar {
namespace {

constexpr std::array<const char*, 4> kTierNames = {"structure", "rescore", "replay", "rerun"};
constexpr std::array<const char*, 3> kResultNames = {"accepted", "rejected", "inconclusive"};
constexpr std::array<const char*, 3> kCertaintyNames = {"accepted", "provisional", "scored"};
constexpr std::array<const char*, 3> kExtentNames = {"sample", "whole", "in_full"};

template <typename Enum>
std::optional<Enum> member(const auto& names, std::string_view name) {
    const auto* const found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) return std::nullopt;
    return static_cast<Enum>(found - names.begin());
}

}  // namespace

const char* name(Tier tier) { return kTierNames.at(static_cast<std::size_t>(tier)); }
const char* name(VerdictResult result) { return kResultNames.at(static_cast<std::size_t>(result)); }
const char* name(Certainty certainty) { return kCertaintyNames.at(static_cast<std::size_t>(certainty)); }
const char* name(AuditExtent extent) { return kExtentNames.at(static_cast<std::size_t>(extent)); }

std::optional<Tier> tier_of(std::string_view name) { return member<Tier>(kTierNames, name); }
std::optional<VerdictResult> verdict_result_of(std::string_view name) {
    return member<VerdictResult>(kResultNames, name);
}
Certainty certainty_of(std::string_view name) {
    return member<Certainty>(kCertaintyNames, name).value_or(Certainty::scored);
}
std::optional<AuditExtent> audit_extent_of(std::string_view name) { return member<AuditExtent>(kExtentNames, name); }

}  // namespace cultivar
