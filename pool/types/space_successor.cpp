#include "pool/types/space_successor.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

namespace cultivar {
namespace {

bool contains(const auto& all, const auto& some) {
    const std::set known(all.begin(), all.end());
    return std::ranges::all_of(some, [&](const auto& one) { return known.count(one) > 0; });
}

bool is_in_range(const Gene& gene, std::int64_t value) { return gene.accept(Value(value)).has_value(); }

// Does `next` allow every value that `now` allows?
bool allows_all(const Gene& now, const Gene& next) {
    if (now.type == GeneType::choice) return contains(next.choices, now.choices);
    if (now.type == GeneType::boolean) return true;
    if (!now.levels.empty())
        return std::ranges::all_of(now.levels, [&](std::int64_t level) { return is_in_range(next, level); });
    return next.levels.empty() && next.low <= now.low && next.high >= now.high &&
           now.multiple_of % next.multiple_of == 0;
}

// Is the gene active in `next` wherever it is in `now`?
bool is_active_as_before(const Gene& now, const Gene& next) {
    if (!next.when) return true;
    return now.when && now.when->gene == next.when->gene && contains(next.when->values, now.when->values);
}

Result<void> check_gene(const Gene& now, const Gene& next) {
    auto lost = [&](const char* what) {
        return fail(Code::corrupt,
                    fmt::format("pool.toml {} of '{}': candidates of this pool would be lost", what, now.name));
    };
    if (next.type != now.type || !(next.default_value == now.default_value) || next.since != now.since)
        return fail(Code::corrupt, fmt::format("pool.toml changed the type or default of '{}'", now.name));
    if (!allows_all(now, next)) return lost("narrowed the values");
    if (!is_active_as_before(now, next)) return lost("narrowed the condition");
    if (next.unit != now.unit && (next.unit == "steps" || now.unit == "steps")) return lost("changed the unit");
    return {};
}

bool is_same(const Constraint& a, const Constraint& b) {
    return a.kind == b.kind && a.left == b.left && a.right == b.right && a.factor == b.factor;
}

std::string text(const Constraint& constraint) {
    return fmt::format("'{}' and '{}'", constraint.left, constraint.right);
}

// Holds this constraint, one gene of which is new and so has its default, for every value of the old gene?
bool holds_for_all(const Constraint& constraint, const Space& now, const Space& next) {
    const Gene* old_left = now.find(constraint.left);
    const Gene* old_right = now.find(constraint.right);
    const Gene* fresh = next.find(old_left ? constraint.right : constraint.left);
    if ((old_left && old_right) || !fresh) return false;
    if (!old_left && !old_right) return true;  // its defaults are checked where the space is made
    auto number = [](const Value& value) {
        const auto* whole = std::get_if<std::int64_t>(&value);
        const auto* real = std::get_if<double>(&value);
        return whole ? static_cast<double>(*whole) : real ? *real : 0.0;
    };
    const double value = number(fresh->default_value);
    const Gene& old = old_left ? *old_left : *old_right;
    if (constraint.kind == Constraint::Kind::at_most) {
        const double low = old.levels.empty() ? old.low : static_cast<double>(old.levels.front());
        const double high = old.levels.empty() ? old.high : static_cast<double>(old.levels.back());
        return old_left ? high <= value : value <= low;
    }
    const auto unit = constraint.factor * static_cast<std::int64_t>(value);
    if (!old_left || unit == 0) return false;  // the new one would have to be a multiple of every old value
    if (old.levels.empty()) return old.multiple_of % unit == 0 && static_cast<std::int64_t>(old.low) % unit == 0;
    return std::ranges::all_of(old.levels, [&](std::int64_t level) { return level % unit == 0; });
}

Result<void> check_constraints(const Space& now, const Space& next) {
    auto has = [](const Space& space, const Constraint& one) {
        return std::ranges::any_of(space.constraints(), [&](const Constraint& other) { return is_same(one, other); });
    };
    for (const Constraint& constraint : now.constraints()) {
        if (!has(next, constraint))
            return fail(Code::corrupt,
                        fmt::format("pool.toml lost or changed the constraint between {}: crosses of this "
                                    "pool would be lost",
                                    text(constraint)));
    }
    for (const Constraint& constraint : next.constraints()) {
        if (!has(now, constraint) && !holds_for_all(constraint, now, next))
            return fail(Code::corrupt, fmt::format("pool.toml has a new constraint between {}: candidates of this pool "
                                                   "would be lost",
                                                   text(constraint)));
    }
    return {};
}

}  // namespace

Result<void> may_follow(const Space& now, const Space& next) {
    for (const Gene& gene : now.genes()) {
        const Gene* successor = next.find(gene.name);
        if (!successor) return fail(Code::corrupt, fmt::format("pool.toml lost the gene '{}'", gene.name));
        TRY(check_gene(gene, *successor));
    }
    return check_constraints(now, next);
}

}  // namespace cultivar
