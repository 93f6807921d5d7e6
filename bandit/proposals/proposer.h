// Proposals: how each operator makes its child, once the operator bandit has chosen it.
//
//   tune    the plain genes of one parent: a mutation, or the parent's own last step once more
//   switch  a structural gene of one parent, with whatever its constraints draw along
//   cross   two parents, neither an ancestor of the other, merged by the caller's Crosser; where there is
//           a model, of up to eight pairs the most promising child
//   import  the most promising candidate that was kept elsewhere, unchanged: its first own run here, without which
//           nothing is built on it. What counts here already descends from is left alone
//
// Once four candidates have figures here, or one where others have told enough to be heard, a model (bandit/surrogate)
// chooses what tune and switch propose: the most promising of what was drawn from the first four parents, for tune also
// of samples of TPE and of leaps to anywhere (everywhere, in a small space), improved gene by gene while that promises
// more. Where there are more than ten genes to tune, none of these differs from its parent in more than six. The model
// may propose what only unverified writers say they ran, unless their word has proved its worth here: nobody can close a
// part of the space by claiming to have been there.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bandit/model/hint_sources.h"
#include "bandit/model/surrogate.h"
#include "bandit/policy/parent_selection.h"
#include "bandit/proposals/mutation.h"
#include "bandit/proposals/plan_input.h"

namespace cultivar {

struct Proposal {
    Candidate child;
    std::vector<std::string> parents;  // candidate ids
    std::string how;                   // "parent 1a2b3c4d drawn at 0.83; optim.matrix_lr 0.04 -> 0.05"
};

// Lives for one plan; refers to the input, the contenders and the generator it was made with.
class Proposer {
public:
    Proposer(const PlannerInput& input, const CandidateStandings& contenders, Random& random);

    // Could this operator make anything at all? Cheap; propose() may still find nothing.
    bool available(std::string_view operator_name) const;
    // A child that is new to the pool (import: new to this clone's runs here) and obeys the space.
    std::optional<Proposal> propose(std::string_view operator_name);

    // The incumbent first. Where noise matters and there is a model, by what it expects of a candidate, which weighs
    // its own runs with those of its like; where there is a model alone, by their means.
    const std::vector<ParentArm>& parents() const { return arms_; }
    std::vector<SourceValue> source_values() const;  // those that the model heard
    double others_word() const;  // what it has been worth, all sources together: 0 .. 1; 1 where none was heard
    bool noise_known() const { return noise_known_; }      // something was replicated twice
    bool noise_matters() const { return noise_matters_; }  // it may have chosen the incumbent

private:
    struct Idea {
        Genes genes;
        std::size_t parent;  // of the draws
        double acquisition;
    };
    void observe_all(const History& history);
    bool trusted(const Trial& trial) const;
    void measure_noise();
    std::optional<Proposal> by_model(GeneKind kind);
    std::vector<Genes> ideas_from(const CandidateStats& parent, GeneKind kind, const Parzen& sampler);
    std::vector<Genes> leaps(const Genes& base);
    Genes climbed(Idea idea, const Genes& parent);
    std::optional<Proposal> step(GeneKind kind);
    std::optional<Genes> one_step(const CandidateStats& parent, GeneKind kind);
    std::optional<Proposal> cross();
    std::optional<Proposal> import() const;
    const CandidateStats& most_promising_import() const;

    std::optional<Proposal> accept(const ParentDraw& draw, const Genes& genes) const;
    bool allowed(const Genes& genes) const;
    bool novel(const std::string& id) const;

    const PlannerInput& input_;
    const Space& space_;
    const CandidateStandings& contenders_;
    Random& random_;
    Experience experience_;
    std::vector<HintSource> sources_;
    std::vector<Observation> observations_;  // of what ran here
    std::optional<Surrogate> model_;
    bool noise_known_ = false, noise_matters_ = false;
    std::vector<ParentArm> arms_;
    std::vector<const CandidateStats*> imports_;  // the most promising first, where no source is heard
};

}  // namespace cultivar
