#include "cli/format/space_text.h"

#include <algorithm>

#include <fmt/format.h>

#include "cli/app/text_table.h"

namespace cultivar {
namespace {

// A value as people write it: words without their quotes.
std::string value_text(const Value& value) {
    const auto* word = std::get_if<std::string>(&value);
    return word ? clean(*word) : to_toml(value);
}

// Every value that a gene may have, where they can be listed.
std::vector<Value> values_of(const Gene& gene) {
    if (gene.type == GeneType::boolean) return {false, true};
    if (gene.type == GeneType::choice) return {gene.choices.begin(), gene.choices.end()};
    return {gene.levels.begin(), gene.levels.end()};
}

// Genes by part, parts in order of their first gene.
std::vector<std::vector<const Gene*>> by_part(const std::vector<const Gene*>& genes) {
    std::vector<std::vector<const Gene*>> parts;
    for (const Gene* gene : genes) {
        auto part = std::find_if(parts.begin(), parts.end(),
                                 [&](const auto& other) { return part_of(*other.front()) == part_of(*gene); });
        if (part == parts.end()) part = parts.insert(part, std::vector<const Gene*>());
        part->push_back(gene);
    }
    return parts;
}

// Text that scdoc prints as it is.
std::string scdoc(const std::string& text) {
    std::string out;
    for (char c : text) {
        if (c == '*' || c == '\\') out += '\\';
        out += c;
    }
    return out;
}

std::string page_entry(const Space& space, const Gene& gene) {
    std::string help = gene.help;
    if (!help.empty()) help[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(help[0])));
    const std::string unit = gene.unit.empty() ? "" : " " + gene.unit, range = gene.range_text();
    std::string text = fmt::format("*{}* ({}, {}{})\n\t{}. ", gene.name, name(gene.type),
                                   scdoc(value_text(gene.default_value)), unit, scdoc(help));
    const bool from_to = range.find("..") != std::string::npos;
    if (gene.type != GeneType::boolean) text += fmt::format("{} {}. ", from_to ? "Range" : "One of", scdoc(range));
    if (gene.when) text += fmt::format("Only if {}. ", scdoc(condition_text(space, gene)));
    if (gene.structural) text += "Structural. ";
    text.back() = '\n';
    return text;
}

constexpr const char* kPageHead = R"(cultivar-genes(7)

# NAME

cultivar-genes - the genes of the built-in language-model task

# DESCRIPTION

The search space that *cultivar init* gives a new pool. A pool may have widened ranges and gained genes since; *cultivar
genes* prints its own. *cultivar genes --scdoc* prints this page.

Each entry gives the gene's name, type and default, then its effect, its range, (log) if it is searched on a logarithmic
scale, and the condition under which it is active: an inactive gene stands at its default and has no effect. A
_structural_ gene changes the model's shape. The defaults are Parameter Golf's baseline as published.
)";

constexpr const char* kPageTail = R"(
# SEE ALSO

*cultivar-genes*(1), *cultivar-init*(1), *cultivar-pool*(5)
)";

}  // namespace

std::string part_of(const Gene& gene) { return gene.name.substr(0, gene.name.find('.')); }

std::string condition_text(const Space& space, const Gene& gene) {
    if (!gene.when) return "";
    const std::vector<Value>& on = gene.when->values;
    std::vector<Value> off = values_of(*space.find(gene.when->gene));
    std::erase_if(off, [&](const Value& value) { return std::find(on.begin(), on.end(), value) != on.end(); });
    if (on.size() > 1 && off.size() == 1) return fmt::format("{} != {}", gene.when->gene, value_text(off.front()));
    std::vector<std::string> words;
    for (const Value& value : on) words.push_back(value_text(value));
    return fmt::format("{} = {}", gene.when->gene, fmt::join(words, " or "));
}

std::string constraint_text(const Constraint& constraint) {
    if (constraint.kind == Constraint::Kind::at_most)
        return fmt::format("{} is at most {}", constraint.left, constraint.right);
    const std::string factor = constraint.factor == 1 ? "" : fmt::format("{} x ", constraint.factor);
    return fmt::format("{} is a multiple of {}{}", constraint.left, factor, constraint.right);
}

std::string space_table(const Ui& ui, const Space& space, const std::vector<const Gene*>& genes) {
    std::string text;
    for (const auto& part : by_part(genes)) {
        TextTable table({{"gene"}, {"type"}, {"default"}, {"range"}, {"unit"}, {"only if"}, {"help"}});
        for (const Gene* gene : part) {
            const auto or_dash = [](const std::string& cell) { return cell.empty() ? std::string("-") : cell; };
            table.row({gene->name, std::string(name(gene->type)), value_text(gene->default_value),
                       clean(gene->range_text()), or_dash(clean(gene->unit)), or_dash(condition_text(space, *gene)),
                       clean(gene->help)});
        }
        text += (text.empty() ? "" : "\n") + ui.paint(Paint::strong, part_of(*part.front())) + "\n" + table.text(ui);
    }
    const auto constraints = constraints_among(space, genes);
    if (!constraints.empty()) text += "\n" + ui.paint(Paint::strong, "constraints") + "\n";
    for (const Constraint& constraint : constraints) text += constraint_text(constraint) + "\n";
    return text;
}

std::string gene_in_full(const Ui& ui, const Space& space, const Gene& gene) {
    std::string text = ui.paint(Paint::strong, gene.name) + "\n";
    const auto line = [&](const char* label, const std::string& value) {
        if (!value.empty()) text += fmt::format("  {:<11} {}\n", label, value);
    };
    line("help", clean(gene.help));
    line("type",
         fmt::format("{}{}", name(gene.type), gene.structural ? ", structural: changes the model's shape" : ""));
    line("default", value_text(gene.default_value));
    line("range", clean(gene.range_text()));
    line("unit", clean(gene.unit));
    line("only if", condition_text(space, gene));
    for (const Gene& other : space.genes()) {
        if (other.when && other.when->gene == gene.name)
            line("switches", fmt::format("{}, if {}", other.name, condition_text(space, other)));
    }
    for (const Constraint& constraint : space.constraints()) {
        if (constraint.left == gene.name || constraint.right == gene.name)
            line("constraint", constraint_text(constraint));
    }
    if (gene.since > 0) line("since", fmt::format("widening {} of this pool", gene.since));
    return text;
}

std::string genes_page(const Space& space) {
    std::vector<const Gene*> genes;
    for (const Gene& gene : space.genes()) genes.push_back(&gene);
    std::string text = kPageHead;
    for (const auto& part : by_part(genes)) {
        std::string title = part_of(*part.front());
        std::transform(title.begin(), title.end(), title.begin(), [](unsigned char c) { return std::toupper(c); });
        text += fmt::format("\n# {}\n\n", title);
        for (const Gene* gene : part) text += page_entry(space, *gene);
    }
    text += "\n# CONSTRAINTS\n\nBetween genes that are active:\n\n";
    for (const Constraint& constraint : space.constraints()) text += fmt::format("- {}\n", constraint_text(constraint));
    return text + kPageTail;
}

}  // namespace cultivar
