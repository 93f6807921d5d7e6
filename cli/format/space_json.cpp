#include "cli/format/space_json.h"

#include <algorithm>

namespace cultivar {
namespace {

Json value_json(const Value& value) {
    return std::visit([](const auto& plain) { return Json(plain); }, value);
}

Json gene_json(const Gene& gene) {
    const bool whole = gene.type == GeneType::integer, ranged = whole || gene.type == GeneType::real;
    const auto end = [&](double number) { return whole ? Json(static_cast<std::int64_t>(number)) : Json(number); };
    Json equals = Json::array();
    if (gene.when) {
        for (const Value& value : gene.when->values) equals.push_back(value_json(value));
    }
    return {{"name", gene.name},
            {"type", name(gene.type)},
            {"default", value_json(gene.default_value)},
            {"range", ranged ? Json{end(gene.low), end(gene.high)} : Json(nullptr)},
            {"log", gene.log_scale},
            {"multiple_of", gene.multiple_of},
            {"levels", gene.levels.empty() ? Json(nullptr) : Json(gene.levels)},
            {"choices", gene.choices.empty() ? Json(nullptr) : Json(gene.choices)},
            {"unit", gene.unit.empty() ? Json(nullptr) : Json(gene.unit)},
            {"when", gene.when ? Json(gene.when->gene) : Json(nullptr)},
            {"equals", gene.when ? equals : Json(nullptr)},
            {"structural", gene.structural},
            {"since", gene.since},
            {"help", gene.help}};
}

}  // namespace

std::vector<Constraint> constraints_among(const Space& space, const std::vector<const Gene*>& genes) {
    const auto shown = [&](const std::string& name) {
        return std::any_of(genes.begin(), genes.end(), [&](const Gene* gene) { return gene->name == name; });
    };
    std::vector<Constraint> among;
    for (const Constraint& constraint : space.constraints()) {
        if (shown(constraint.left) && shown(constraint.right)) among.push_back(constraint);
    }
    return among;
}

Json space_json(const Space& space, const std::vector<const Gene*>& genes) {
    Json rows = Json::array(), constraints = Json::array();
    for (const Gene* gene : genes) rows.push_back(gene_json(*gene));
    for (const Constraint& constraint : constraints_among(space, genes)) {
        constraints.push_back({{"kind", constraint.kind == Constraint::Kind::at_most ? "at_most" : "multiple"},
                               {"left", constraint.left},
                               {"right", constraint.right},
                               {"factor", constraint.factor}});
    }
    return {{"genes", rows}, {"constraints", constraints}};
}

}  // namespace cultivar
