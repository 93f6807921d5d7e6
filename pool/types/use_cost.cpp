#include "pool/types/use_cost.h"

#include <fmt/format.h>

namespace cultivar {

std::optional<std::string> over_cap(const UseCost& cost, const UseCost& caps) {
    const auto check = [](const auto& figure, const auto& cap, const char* what) -> std::optional<std::string> {
        if (!figure || !cap || *figure <= *cap) return std::nullopt;
        return fmt::format("{} {} are over the pool's cap of {}", *figure, what, *cap);
    };
    if (auto over = check(cost.parameters, caps.parameters, "parameters")) return over;
    if (auto over = check(cost.forward_flops_per_token, caps.forward_flops_per_token, "forward FLOPs a token"))
        return over;
    return check(cost.joules_per_token, caps.joules_per_token, "joules a token");
}

bool knows_what_is_capped(const UseCost& cost, const UseCost& caps) {
    const auto known = [](const auto& figure, const auto& cap) { return figure || !cap; };
    return known(cost.parameters, caps.parameters) &&
           known(cost.forward_flops_per_token, caps.forward_flops_per_token) &&
           known(cost.joules_per_token, caps.joules_per_token);
}

}  // namespace cultivar
