#include "bandit/proposals/external_suggestion.h"

#include <fmt/format.h>

#include "pool/util/text.h"

#include <algorithm>

namespace cultivar {
namespace {

constexpr std::size_t kShortestPrefix = 4, kShownBytes = 64;

tl::unexpected<Error> refused(std::string why) { return fail(Code::unfit, std::move(why)); }

Result<const KnownCandidate*> parent_of(const Suggestion& suggestion, const CandidateTable& candidates) {
    const CandidateStats* parent = named(candidates, suggestion.parent);
    if (parent == nullptr)
        return refused(fmt::format("it names no candidate: parent '{}'", cut(suggestion.parent, kShownBytes)));
    if (!parent->parent())
        return refused(fmt::format("its parent {} was not kept here", short_id(parent->known->candidate.id)));
    return parent->known;
}

Result<void> change(const Space& space, const Genes& changes, Genes& genes) {
    for (const auto& [name, value] : changes) {
        const Gene* gene = space.find(name);
        if (gene == nullptr) return refused(fmt::format("it changes no gene: '{}'", cut(name, kShownBytes)));
        auto accepted = gene->accept(value);
        if (!accepted) return refused(accepted.error().message);
        genes[name] = std::move(*accepted);
    }
    for (const auto& [name, value] : changes) {
        if (!space.active(*space.find(name), genes)) return refused(fmt::format("'{}' would not be active", name));
    }
    if (auto sound = space.check(genes); !sound) return refused(sound.error().message);
    return {};
}

bool is_new(const std::string& id, const History& history) {
    return std::ranges::none_of(history.candidates,
                                [&](const KnownCandidate& known) { return known.candidate.id == id; }) &&
           std::ranges::none_of(history.trials, [&](const Trial& trial) { return trial.candidate == id; });
}

}  // namespace

const CandidateStats* named(const CandidateTable& candidates, std::string_view prefix) {
    if (prefix.size() < kShortestPrefix) return nullptr;
    const CandidateStats* found = nullptr;
    for (const CandidateStats& stats : candidates.all()) {
        if (stats.known == nullptr || !stats.known->candidate.id.starts_with(prefix)) continue;
        if (found != nullptr) return nullptr;
        found = &stats;
    }
    return found;
}

Result<Candidate> child_of(const Suggestion& suggestion, const PlannerInput& input, const CandidateTable& candidates) {
    if (suggestion.changes.empty()) return refused("it changes nothing");
    TRY_ASSIGN(const KnownCandidate* parent, parent_of(suggestion, candidates));
    Genes genes = parent->candidate.genes;
    TRY(change(*input.space, suggestion.changes, genes));
    auto child = make_candidate(*input.space, input.task_id, genes, parent->candidate.files);
    if (!child) return refused(child.error().message);
    if (child->id == parent->candidate.id) return refused("it changes nothing");
    if (!is_new(child->id, *input.history)) return refused(fmt::format("{} is known already", short_id(child->id)));
    return *std::move(child);
}

}  // namespace cultivar
