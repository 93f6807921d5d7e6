#include "bandit/space/constraint_repair.h"

#include <algorithm>
#include <cstdlib>

namespace cultivar {
namespace {

constexpr int kRounds = 8;
constexpr std::int64_t kReach = 1 << 16;  // the search covers this many multiples either way

bool satisfied(const Constraint& constraint, std::int64_t left, std::int64_t right) {
    if (constraint.kind == Constraint::Kind::at_most) return left <= right;
    return right != 0 && left % (constraint.factor * right) == 0;
}

// Sets `gene`, one side of the constraint, to the nearest value that satisfies it. Returns false if there is none
// within reach.
bool move(const Gene& gene, Genes& genes, const Constraint& constraint) {
    bool is_left = gene.name == constraint.left;
    auto other = std::get<std::int64_t>(genes.at(is_left ? constraint.right : constraint.left));
    auto current = std::get<std::int64_t>(genes.at(gene.name));
    auto fits = [&](std::int64_t value) {
        auto real = static_cast<double>(value);
        return real >= gene.low && real <= gene.high &&
               (is_left ? satisfied(constraint, value, other) : satisfied(constraint, other, value));
    };
    if (!gene.levels.empty()) {
        std::vector<std::int64_t> levels = gene.levels;
        std::ranges::stable_sort(levels, {}, [&](std::int64_t level) { return std::abs(level - current); });
        auto found = std::ranges::find_if(levels, fits);
        if (found != levels.end()) genes[gene.name] = *found;
        return found != levels.end();
    }
    for (std::int64_t away = 0; away <= kReach; ++away) {
        for (std::int64_t value : {current - away * gene.multiple_of, current + away * gene.multiple_of}) {
            if (!fits(value)) continue;
            genes[gene.name] = value;
            return true;
        }
    }
    return false;
}

}  // namespace

bool repair(const Space& space, Genes& genes, std::set<std::string> moved) {
    for (int round = 0; round < kRounds; ++round) {
        const Constraint* broken = space.violated(genes);
        if (broken == nullptr) return true;
        bool right = moved.contains(broken->left) && !moved.contains(broken->right);
        const std::string& first = right ? broken->right : broken->left;
        const std::string& second = right ? broken->left : broken->right;
        bool done = move(*space.find(first), genes, *broken);
        if (!done && !move(*space.find(second), genes, *broken)) return false;
        moved.insert(done ? first : second);  // so that repairs follow a chain of constraints without oscillating
    }
    return false;
}

}  // namespace cultivar
