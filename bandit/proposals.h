// Proposals: how each operator makes its child, once the operator bandit has chosen it.
//
//   tune    the plain genes of one parent: a mutation, or the parent's own last step once more; once ten candidates
//           have figures here, the best of twelve of these and twelve samples of TPE, as TPE ranks them
//   switch  a structural gene of one parent, with whatever its constraints draw along
//   cross   two parents, neither an ancestor of the other, merged by the caller's Crosser
//   import  the most promising candidate that was kept elsewhere, unchanged: its first own run here
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "bandit/mutate.h"
#include "bandit/parents.h"
#include "bandit/planner.h"
#include "bandit/tpe.h"

namespace cultivar {

struct Proposal {
    Candidate child;
    std::vector<std::string> parents;  // candidate ids
    std::string how;                   // "parent 1a2b3c4d drawn at 0.83; optim.matrix_lr 0.04 -> 0.05"
};

// Lives for one plan; refers to the input, the contenders and the generator it was made with.
class Proposer {
public:
    Proposer(const PlannerInput& input, const Contenders& contenders, Random& random);

    // Could this operator make anything at all? Cheap; propose() may still find nothing.
    bool available(std::string_view operator_name) const;
    // A child that is new to the pool (import: new to this clone's runs here) and obeys the space.
    std::optional<Proposal> propose(std::string_view operator_name);

    const std::vector<ParentArm>& parents() const { return arms_; }  // the incumbent first

private:
    std::optional<Proposal> tune();
    std::optional<Proposal> from_model(const ParentDraw& draw, const Parzen& model);
    std::optional<Proposal> step(GeneKind kind);
    std::optional<Genes> one_step(const Contender& parent, GeneKind kind);
    std::optional<Proposal> cross();
    std::optional<Proposal> import() const;

    std::optional<Proposal> accept(const ParentDraw& draw, const Genes& genes) const;
    bool novel(const std::string& id) const { return !ids_.contains(id); }
    std::unordered_set<std::string_view> ancestors(const std::string& id) const;

    const PlannerInput& input_;
    const Space& space_;
    const Contenders& contenders_;
    Random& random_;
    Experience experience_;
    std::vector<ParentArm> arms_;
    std::vector<Observation> observations_;
    std::size_t figures_ = 0;                // observations with a figure
    std::vector<const Contender*> imports_;  // the most promising first
    std::unordered_set<std::string_view> ids_;
};

}  // namespace cultivar
