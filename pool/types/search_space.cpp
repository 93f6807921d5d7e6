#include "pool/types/search_space.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <mutex>
#include <set>

#include <fmt/format.h>

#include "pool/util/text.h"

namespace cultivar {
namespace {

constexpr std::int64_t kExactWhole = std::int64_t{1} << 53;  // a range in double is exact up to here

bool valid_name(std::string_view name) {
    if (name.empty() || name.size() > 64 || name.front() == '.' || name.back() == '.') return false;
    if (name.find("..") != std::string_view::npos || name == "files" || name.starts_with("files.")) return false;
    return name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.") ==
           std::string_view::npos;
}

bool holds(const Value& value, const std::vector<Value>& among) {
    return std::find(among.begin(), among.end(), value) != among.end();
}

// Many levels that double are told by their ends; a level 0 stands before them.
std::string levels_text(const std::vector<std::int64_t>& levels) {
    constexpr std::ptrdiff_t kMany = 5;
    const auto first = levels.begin() + (levels.front() == 0 ? 1 : 0);
    const auto breaks = [](std::int64_t level, std::int64_t next) { return next != 2 * level; };
    if (levels.end() - first < kMany || std::adjacent_find(first, levels.end(), breaks) != levels.end())
        return fmt::format("{}", fmt::join(levels, ", "));
    return fmt::format("{}{}..{} doubling", levels.front() == 0 ? "0, " : "", *first, levels.back());
}

}  // namespace

std::string_view name(GeneType type) {
    constexpr std::array<std::string_view, 4> kNames = {"integer", "real", "boolean", "choice"};
    return kNames[static_cast<std::size_t>(type)];
}

std::string Gene::range_text() const {
    const char* scale = log_scale ? " (log)" : "";
    switch (type) {
        case GeneType::boolean:
            return "true or false";
        case GeneType::choice:
            return fmt::format("{}", fmt::join(choices, ", "));
        case GeneType::integer:
            if (!levels.empty()) return levels_text(levels);
            return fmt::format("{:.0f}..{:.0f}{}{}", low, high,
                               multiple_of > 1 ? fmt::format(" in steps of {}", multiple_of) : "", scale);
        case GeneType::real:
            return fmt::format("{}..{}{}", real_text(low), real_text(high), scale);
    }
    return {};
}

Result<Value> Gene::accept(const Value& value) const {
    auto refuse = [&](const std::string& why) {
        return fail(Code::usage, fmt::format("'{}' = {} {}: it takes {}", name, to_toml(value), why, range_text()));
    };
    switch (type) {
        case GeneType::boolean:
            if (!std::holds_alternative<bool>(value)) return refuse("is not true or false");
            return value;
        case GeneType::choice: {
            auto* word = std::get_if<std::string>(&value);
            if (!word || std::find(choices.begin(), choices.end(), *word) == choices.end())
                return refuse("is not one of its choices");
            return value;
        }
        case GeneType::integer: {
            auto* whole = std::get_if<std::int64_t>(&value);
            if (!whole) return refuse("is not a whole number");
            if (*whole < -kExactWhole || *whole > kExactWhole) return refuse("is out of range");
            if (!levels.empty()) {
                if (std::find(levels.begin(), levels.end(), *whole) == levels.end()) return refuse("is out of range");
            } else if (static_cast<double>(*whole) < low || static_cast<double>(*whole) > high ||
                       *whole % multiple_of != 0) {
                return refuse("is out of range");
            }
            return value;
        }
        case GeneType::real: {
            double real = 0;
            if (auto* whole = std::get_if<std::int64_t>(&value)) {
                real = static_cast<double>(*whole);
            } else if (auto* given = std::get_if<double>(&value)) {
                real = *given;
            } else {
                return refuse("is not a number");
            }
            if (!std::isfinite(real) || real < low || real > high) return refuse("is out of range");
            return Value(real == 0 ? 0.0 : real);  // no negative zero: one value, one text
        }
    }
    return refuse("has an unknown type");
}

std::string_view GeneName::held(std::string_view name) {
    static std::mutex mutex;
    static std::set<std::string, std::less<>> names;  // its strings never move
    const std::lock_guard lock(mutex);
    auto there = names.find(name);
    return there != names.end() ? *there : *names.emplace(name).first;
}

Result<Space> Space::make(std::vector<Gene> genes, std::vector<Constraint> constraints) {
    Space space;
    space.genes_ = std::move(genes);
    std::vector<std::size_t> conditions(space.genes_.size());  // that each rests on
    for (std::size_t i = 0; i < space.genes_.size(); ++i) {
        Gene& gene = space.genes_[i];
        if (!valid_name(gene.name))
            return fail(Code::usage,
                        fmt::format("'{}' is not a gene's name: letters, digits, '_' and '.', 64 at most", gene.name));
        if (gene.multiple_of < 1) return fail(Code::usage, fmt::format("gene '{}': multiple_of is below 1", gene.name));
        if (gene.log_scale && gene.low <= 0)
            return fail(Code::usage, fmt::format("gene '{}': a log scale needs a range above 0", gene.name));
        if (gene.when) {
            auto on = space.by_name_.find(gene.when->gene);
            if (on == space.by_name_.end())
                return fail(Code::usage, fmt::format("gene '{}' depends on '{}', which is not declared before it",
                                                     gene.name, gene.when->gene));
            conditions[i] = conditions[on->second] + 1;
            if (conditions[i] > kMaxConditions)
                return fail(Code::usage, fmt::format("gene '{}' depends on more than {} others, one after another",
                                                     gene.name, kMaxConditions));
            for (Value& value : gene.when->values) {
                TRY_ASSIGN(value, space.genes_[on->second].accept(value));
            }
        }
        if (!space.by_name_.emplace(gene.name, i).second)
            return fail(Code::usage, fmt::format("gene '{}' is declared twice", gene.name));
        TRY_ASSIGN(gene.default_value, gene.accept(gene.default_value));
        space.defaults_[gene.name] = gene.default_value;
    }
    for (auto at = space.by_name_.begin(); at != space.by_name_.end(); ++at) {
        auto next = std::next(at);  // '.' sorts before all other characters of a name
        if (next != space.by_name_.end() && next->first.starts_with(at->first + "."))
            return fail(Code::usage,
                        fmt::format("genes '{}' and '{}' cannot stand in one file", at->first, next->first));
    }
    for (const Constraint& constraint : constraints) {
        for (const std::string& name : {constraint.left, constraint.right}) {
            const Gene* gene = space.find(name);
            if (!gene || gene->type != GeneType::integer)
                return fail(Code::usage, fmt::format("constraint names '{}', which is not a whole-number gene", name));
        }
        if (constraint.factor < 1) return fail(Code::usage, "a constraint's factor is below 1");
    }
    space.constraints_ = std::move(constraints);
    return space;
}

const Gene* Space::find(std::string_view name) const {
    auto found = by_name_.find(name);
    return found == by_name_.end() ? nullptr : &genes_[found->second];
}

Error Space::unknown(std::string_view name) const {
    std::vector<std::string> names;
    for (const Gene& known : genes_) names.push_back(known.name);
    const auto near = nearest(name, names);
    return {Code::usage,
            fmt::format("unknown gene '{}'{}", name, near.empty() ? "" : fmt::format(", did you mean '{}'?", near[0])),
            ""};
}

Result<Genes> Space::complete(const Genes& changes) const {
    Genes all = defaults_;
    for (const auto& [name, value] : changes) {
        const Gene* gene = find(name);
        if (!gene) return tl::unexpected(unknown(name));
        TRY_ASSIGN(all.find(name)->second, gene->accept(value));
    }
    return all;
}

bool Space::active(const Gene& gene, const Genes& complete) const {
    for (const Gene* at = &gene; at->when;) {
        const Gene* on = find(at->when->gene);
        auto value = complete.find(at->when->gene);
        if (!on || value == complete.end() || !holds(value->second, at->when->values)) return false;
        at = on;
    }
    return true;
}

Genes Space::minimal(const Genes& complete) const {
    Genes changes;
    auto usual = defaults_.begin();  // both go by name
    for (const auto& [name, value] : complete) {
        while (usual != defaults_.end() && usual->first < name) ++usual;
        if (usual == defaults_.end()) break;
        if (usual->first != name || usual->second == value || !active(*find(name), complete)) continue;
        changes.emplace(name, value);
    }
    return changes;
}

const Constraint* Space::violated(const Genes& complete) const {
    for (const Constraint& constraint : constraints_) {
        auto left = complete.find(constraint.left), right = complete.find(constraint.right);
        if (left == complete.end() || right == complete.end()) continue;
        if (!active(*find(constraint.left), complete) || !active(*find(constraint.right), complete)) continue;
        auto a = std::get<std::int64_t>(left->second), b = std::get<std::int64_t>(right->second);
        // Dividing twice instead of multiplying: a product may not fit 64 bits.
        bool holds = constraint.kind == Constraint::Kind::at_most
                         ? a <= b
                         : b != 0 && a % b == 0 && a / b % constraint.factor == 0;
        if (!holds) return &constraint;
    }
    return nullptr;
}

Result<void> Space::check(const Genes& complete) const {
    const Constraint* broken = violated(complete);
    if (!broken) return {};
    std::string relation = broken->kind == Constraint::Kind::at_most ? "more than"
                           : broken->factor > 1 ? fmt::format("not a multiple of {} x", broken->factor)
                                                : "not a multiple of";
    return fail(Code::usage, fmt::format("'{}' = {} is {} '{}' = {}", broken->left, to_toml(complete.at(broken->left)),
                                         relation, broken->right, to_toml(complete.at(broken->right))));
}

}  // namespace cultivar
