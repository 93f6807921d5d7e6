#include "energy/factors/built_in.h"
#include "energy/factors/factors.h"

namespace cultivar {

Result<Factors> known_factors(std::vector<Factor> first) {
    TRY_ASSIGN(std::vector<Factor> users, read_factor_file(user_factor_file()));
    for (std::vector<Factor> more : {std::move(users), built_in_factors()})
        for (Factor& one : more) first.push_back(std::move(one));
    return Factors(std::move(first));
}

}  // namespace cultivar
