// How far a claim is audited, as verdicts name it (pool/types/verdict.h). Names on the wire never change their meaning.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cultivar {

enum class Tier { structure, rescore, replay, rerun };  // a tier includes those before it

const char* name(Tier tier);
std::optional<Tier> tier_of(std::string_view name);

}  // namespace cultivar
