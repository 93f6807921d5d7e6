// Proposals: each operator makes its child here, once the operator bandit has chosen it.
//
//   tune    the plain genes of one parent: a mutation, or the parent's own last step once more; its files stay
//   switch  a structural gene of one parent, with any genes that its constraints force to follow
//   cross   two parents, neither an ancestor of the other, merged by the caller's Crosser; if there is a model, the
//           most promising child of up to eight pairs
//   import  the most promising candidate that was kept elsewhere, unchanged: its first own run here, before which
//           nothing is built on it. Ancestors of candidates that count here are left out
//
// Once four candidates have scores here, or one if there are hint sources, a model (bandit/model/surrogate.h) chooses
// the children of tune and switch. It ranks draws from the first four parents, for tune also samples of TPE and leaps
// to anywhere (everywhere, in a small space), and improves the best gene by gene while the acquisition rises. If there
// are more than ten genes to tune, a child differs from its parent in at most six. The model may propose a candidate
// that only unverified writers say they ran, unless their results have proved right here: nobody can close a part of
// the space by claiming to have been there.
//
// The acquisition is multiplied by the probability of a score (bandit/model/feasibility.h). A candidate that failed
// ranks last in the model of scores where its genes are probably to blame, and is left out of it otherwise. After a
// single failure it may be proposed again.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bandit/model/feasibility.h"
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

// The candidates that the model takes for under way: those of this clone, and the newest 8 that others lease. Anybody may
// lease anything, and many leases around the optimum would push the search away from it.
std::vector<const Genes*> genes_under_way(const History& history);

// Lives for one plan. It refers to the input, the candidates' statistics and the random generator of its constructor.
class Proposer {
public:
    Proposer(const PlannerInput& input, const CandidateTable& candidates, Random& random);

    // Returns whether this operator could make anything at all. Cheap; propose() may still find nothing.
    bool available(std::string_view operator_name) const;
    // Returns a child that is new to the pool (import: new to this clone's runs here) and obeys the space.
    std::optional<Proposal> propose(std::string_view operator_name);

    // Returns the arms, the incumbent first. If noise matters and there is a model, they are ranked by its expected
    // score, which combines a candidate's own runs with those of similar ones; if there is a model and noise does not
    // matter, by their means.
    const std::vector<ParentArm>& parents() const { return arms_; }
    std::vector<HintSourceValue> source_values() const;    // those that the model used
    double hint_weight() const;                            // total weight of all sources, 0 .. 1; 1 if none was used
    bool noise_known() const { return noise_known_; }      // at least two replicates exist
    bool noise_matters() const { return noise_matters_; }  // it is large enough to have chosen the incumbent

private:
    struct Idea {
        Genes genes;
        std::size_t parent;  // index of its draw
        double acquisition;
    };
    void observe_all(const History& history);
    bool trusted(const Trial& trial) const;
    void measure_noise();
    // ln of the expected improvement times the probability of a score, as the genes and the last runs of the source have it.
    double acquired(const Genes& genes, const SourceFiles& files) const;
    std::optional<Proposal> by_model(GeneKind kind);
    std::vector<Genes> ideas_from(const CandidateStats& parent, GeneKind kind, const Parzen& sampler);
    std::vector<Genes> leaps(const Genes& base);
    Genes climbed(Idea idea, const Candidate& parent);
    std::optional<Proposal> step(GeneKind kind);
    std::optional<Genes> one_step(const CandidateStats& parent, GeneKind kind);
    std::optional<Proposal> cross();
    std::optional<Proposal> import() const;

    std::optional<Proposal> accept(const ParentDraw& draw, const Genes& genes) const;
    bool allowed(const Genes& genes) const;
    bool novel(const std::string& id) const;

    const PlannerInput& input_;
    const Space& space_;
    const CandidateTable& candidates_;
    Random& random_;
    Experience experience_;
    Feasibility feasibility_;
    std::vector<HintSource> sources_;
    std::vector<Observation> observations_;  // of candidates that ran here
    std::optional<Surrogate> model_;
    bool noise_known_ = false, noise_matters_ = false;
    std::vector<ParentArm> arms_;
    std::vector<const CandidateStats*> imports_;  // the most promising first, if no source is used
};

}  // namespace cultivar
