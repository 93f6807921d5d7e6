#include "pool/rules/attribution.h"

#include <algorithm>
#include <limits>
#include <set>
#include <sstream>

namespace cultivar {
namespace {

class Attribution {
public:
    explicit Attribution(const AttributionInput& input) : input_(input) {
        for (const Improvement& improvement : input.improvements) {
            finder_.emplace(std::pair(improvement.candidate, improvement.category), improvement.finder);
            finder_.emplace(std::pair(improvement.candidate, std::string()), improvement.finder);
        }
    }

    void add(const Improvement& improvement) {
        const double gain = gain_of(improvement);
        credits_[improvement.finder].found += gain;
        const Relative* self = input_.relative(improvement.candidate);
        const Relative* first = self && self->parents.size() == 2 ? input_.relative(self->parents[0]) : nullptr;
        const Relative* second = first ? input_.relative(self->parents[1]) : nullptr;
        std::set<std::string> differing;
        if (second) differing = differences(first->genes, second->genes);
        if (gain <= 0 || differing.empty()) {
            credits_[improvement.finder].credited += gain;
            return;
        }
        credits_[improvement.finder].credited += gain / 2;
        for (const std::string& gene : differing) {
            const std::string origin = origin_of(gene, value(*self, gene), *self);
            credits_[finder_of(origin, improvement)].credited += gain / 2 / static_cast<double>(differing.size());
        }
    }

    std::map<std::string, AttributedCredit> take() { return std::move(credits_); }

private:
    static std::string value(const Relative& relative, const std::string& gene) {
        auto found = relative.genes.find(gene);
        return found == relative.genes.end() ? "" : found->second;
    }

    static std::set<std::string> differences(const std::map<std::string, std::string>& a,
                                             const std::map<std::string, std::string>& b) {
        std::set<std::string> names;
        for (const auto* genes : {&a, &b}) {
            for (const auto& [gene, text] : *genes) {
                auto in_a = a.find(gene), in_b = b.find(gene);
                if (in_a == a.end() || in_b == b.end() || in_a->second != in_b->second) names.insert(gene);
            }
        }
        return names;
    }

    std::vector<std::string> parents_of(const std::string& candidate, const std::string& finder) const {
        if (input_.parents) return input_.parents(candidate, finder);
        const Relative* relative = input_.relative(candidate);
        return relative ? relative->parents : std::vector<std::string>();
    }

    // The difference to the best scored ancestor.
    double gain_of(const Improvement& improvement) const {
        const double* own = input_.score(improvement.candidate, improvement.category);
        double best = std::numeric_limits<double>::infinity();
        std::set<std::string> met = {improvement.candidate};
        std::vector<std::string> todo = {improvement.candidate};
        while (!todo.empty()) {
            const std::vector<std::string> parents = parents_of(todo.back(), improvement.finder);
            todo.pop_back();
            for (const std::string& parent : parents) {
                if (!met.insert(parent).second) continue;
                if (const double* score = input_.score(parent, improvement.category)) best = std::min(best, *score);
                todo.push_back(parent);
            }
        }
        return own && best < std::numeric_limits<double>::infinity() ? std::max(0.0, best - *own) : 0;
    }

    // The candidate that brought this value into the ancestry of `child`; "" if no parent has it.
    std::string origin_of(const std::string& gene, const std::string& text, const Relative& child) const {
        std::string origin;
        std::set<std::string> met;
        for (const Relative* at = &child; at;) {
            const Relative* from = nullptr;
            for (const std::string& parent : at->parents) {
                const Relative* relative = input_.relative(parent);
                if (!relative || value(*relative, gene) != text || !met.insert(parent).second) continue;
                from = relative;
                origin = parent;
                break;
            }
            at = from;
        }
        return origin;
    }

    std::string finder_of(const std::string& origin, const Improvement& cross) const {
        for (const std::string& category : {cross.category, std::string()}) {
            if (auto found = finder_.find({origin, category}); found != finder_.end()) return found->second;
        }
        return cross.finder;
    }

    const AttributionInput& input_;
    // Of a candidate in a category; under the category "", the first finder in any.
    std::map<std::pair<std::string, std::string>, std::string> finder_;
    std::map<std::string, AttributedCredit> credits_;
};

}  // namespace

std::map<std::string, AttributedCredit> credit_of(const AttributionInput& input) {
    Attribution attribution(input);
    for (const Improvement& improvement : input.improvements) attribution.add(improvement);
    return attribution.take();
}

std::map<std::string, std::string> gene_lines(const std::string& toml) {
    std::map<std::string, std::string> genes;
    std::istringstream lines(toml);
    for (std::string line; std::getline(lines, line);) {
        const std::size_t equals = line.find(" = ");
        if (equals != std::string::npos) genes[line.substr(0, equals)] = line.substr(equals + 3);
    }
    return genes;
}

}  // namespace cultivar
