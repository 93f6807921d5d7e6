#include "pool/types/audit.h"

#include <algorithm>
#include <array>

namespace cultivar {
namespace {

constexpr std::array<const char*, 4> kTierNames = {"structure", "rescore", "replay", "rerun"};

}  // namespace

const char* name(Tier tier) { return kTierNames.at(static_cast<std::size_t>(tier)); }

std::optional<Tier> tier_of(std::string_view name) {
    const auto* const found = std::find(kTierNames.begin(), kTierNames.end(), name);
    if (found == kTierNames.end()) return std::nullopt;
    return static_cast<Tier>(found - kTierNames.begin());
}

}  // namespace cultivar
