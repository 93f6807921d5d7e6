#include "bandit/planner/planner.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <set>
#include <string_view>

#include "bandit/policy/keep_test.h"
#include "bandit/policy/operator_bandit.h"
#include "bandit/proposals/external_suggestion.h"
#include "bandit/proposals/proposer.h"

namespace cultivar {
namespace {

constexpr double kBestAgain = 0.2;
constexpr double kMostDoubt = 0.56;  // mean loss in sigmas of choosing between two equals by one run each
constexpr std::size_t kGainWindow = 8;
constexpr std::size_t kNoiseFrom = 30;  // trials
constexpr int kMostRuns = 8;            // of one candidate

// Returns the mean fall of the best score per run over the newest own runs, leaving out the runs of `doubted`.
double gain_per_run(const History& history, const std::string& doubted) {
    std::vector<double> best;  // after each own run
    for (const Trial& trial : history.trials) {
        if (!trial.trusted || trial.candidate == doubted) continue;
        double before = best.empty() ? std::numeric_limits<double>::infinity() : best.back();
        best.push_back(trial.status == RunStatus::done ? std::min(before, trial.score) : before);
    }
    std::erase_if(best, [](double score) { return std::isinf(score); });
    if (best.size() < 2) return 0;
    std::size_t window = std::min(kGainWindow, best.size() - 1);
    return (best[best.size() - 1 - window] - best.back()) / static_cast<double>(window);
}

class Planner {
public:
    explicit Planner(const PlannerInput& input)
        : input_(input),
          history_(*input.history),
          candidates_(history_),
          noise_(estimate_noise(candidates_)),
          random_(mixed_seed(input)),
          proposer_(input, candidates_, random_) {}

    Result<Plan> plan() {
        Result<Plan> plan = choose();
        if (plan) plan->external_refused = std::move(refused_);
        if (plan && input_.explain)
            plan->why = explain(history_, candidates_, arms(), std::move(selection_probabilities_), input_.seed);
        if (plan && input_.explain) plan->why->sources = proposer_.source_values();
        return plan;
    }

private:
    Result<Plan> choose() {
        if (auto plan = wanted()) return *plan;
        if (auto plan = control()) return *plan;
        if (auto plan = seed()) return *plan;
        if (auto plan = second_run()) return *plan;
        if (auto plan = undecided_best()) return *plan;
        if (auto plan = best_again()) return *plan;
        if (auto plan = by_operator()) return *plan;
        if (auto plan = least_run()) return *plan;
        if (auto plan = failed_seed()) return *plan;
        return nothing_left();
    }

    // A caller may give every plan of an exploration the same seed: the numbers of trials and of runs under way make
    // the draws differ.
    static std::uint64_t mixed_seed(const PlannerInput& input) {
        const auto under_way = static_cast<std::uint64_t>(std::ranges::count_if(
            input.history->candidates, [](const KnownCandidate& known) { return known.in_flight; }));
        std::uint64_t state = input.seed;
        return splitmix64(state) ^ ((input.history->trials.size() + (under_way << 32)) * 0x9e3779b97f4a7c15ULL);
    }

    Plan again(const CandidateStats& stats, std::string operator_name, std::string choice) const {
        const KnownCandidate& known = *stats.known;
        int here = static_cast<int>(stats.own.size() + stats.foreign.size());
        return {known.candidate,
                known.parents,
                std::move(operator_name),
                std::max(known.runs_anywhere, here),
                std::move(choice),
                {},
                {}};
    }

    std::optional<Plan> wanted() const {
        for (const CandidateStats& stats : candidates_.all()) {
            if (stats.known == nullptr || !stats.known->wanted || !stats.open() || stats.known->held_here) continue;
            return again(
                stats, stats.known->seed ? "seed" : "replicate",
                fmt::format("{} once more: its failures here were lifted", short_id(stats.known->candidate.id)));
        }
        return std::nullopt;
    }

    // A machine is judged by what the task itself brings, if that was scored here: a candidate's source may fail when it
    // likes.
    const CandidateStats* best_for_control() const {
        const CandidateStats* leader = best();
        if (leader == nullptr || leader->known->candidate.files.empty()) return leader;
        const CandidateStats* plain = nullptr;
        for (const CandidateStats& stats : candidates_.all()) {
            if (!stats.open() || !stats.scored() || stats.known->in_flight || !stats.known->candidate.files.empty())
                continue;
            if (plain == nullptr || stats.mean < plain->mean) plain = &stats;
        }
        return plain != nullptr ? plain : leader;
    }

    std::optional<Plan> control() const {
        const CandidateStats* leader = input_.control ? best_for_control() : nullptr;
        if (leader == nullptr) return std::nullopt;
        return again(*leader, "replicate",
                     fmt::format("replicate: {} scored here; does it still, after runs in a row failed?",
                                 short_id(leader->known->candidate.id)));
    }

    // Did nothing but source of candidates score here yet? What the task itself brings is to compare with it.
    bool only_source_scored() const {
        bool any = false;
        for (const CandidateStats& stats : candidates_.all()) {
            if (stats.known == nullptr || !stats.scored()) continue;
            if (stats.known->candidate.files.empty()) return false;
            any = true;
        }
        return any;
    }

    std::optional<Plan> seed() const {
        const bool in_any_case = only_source_scored();
        for (const CandidateStats& stats : candidates_.all()) {
            if (!may_run_as_seed(stats)) continue;
            const std::string id = short_id(stats.known->candidate.id);
            if (scored_by(stats, [](const Trial&) { return true; })) {
                if (!in_any_case || !stats.known->candidate.files.empty()) continue;
                return again(stats, "seed", fmt::format("seed {}: all that scored here brings source of its own", id));
            }
            return again(stats, "seed",
                         stats.own.empty() ? fmt::format("seed {} has not run in {} yet", id, history_.category)
                                           : fmt::format("seed {} once more, since its run failed", id));
        }
        return doubtful_seed();
    }

    bool may_run_as_seed(const CandidateStats& stats) const {
        return stats.open() && stats.known->seed && !stats.known->in_flight &&
               (stats.own.empty() || stats.may_try_again());
    }

    static bool scored_by(const CandidateStats& stats, const auto& whom) {
        return std::ranges::any_of(
            stats.foreign, [&](const Trial* trial) { return trial->status == RunStatus::done && whom(*trial); });
    }

    // Anybody may say that a seed was scored. Of seeds that only keys without a verified run scored, the best runs here,
    // unless a score of another seed that is vouched for is as good.
    std::optional<Plan> doubtful_seed() const {
        double vouched = std::numeric_limits<double>::infinity(), best_said = vouched;
        const CandidateStats* best = nullptr;
        for (const CandidateStats& stats : candidates_.all()) {
            if (stats.known == nullptr || !stats.known->seed) continue;
            const bool proven = scored_by(stats, [](const Trial& trial) { return trial.of_proven_key; });
            if (stats.scored()) vouched = std::min(vouched, stats.mean);
            for (const Trial* trial : stats.foreign) {
                if (trial->status != RunStatus::done) continue;
                if (trial->of_proven_key) vouched = std::min(vouched, trial->score);
                if (proven || !may_run_as_seed(stats) || !(trial->score < best_said)) continue;
                best_said = trial->score;
                best = &stats;
            }
        }
        if (best == nullptr || !(best_said < vouched)) return std::nullopt;
        return again(*best, "seed",
                     fmt::format("seed {} has its score of {} in {} from keys without a verified run alone",
                                 short_id(best->known->candidate.id), history_.text.of(best_said), history_.category));
    }

    const CandidateStats* best() const {
        const auto& arms = proposer_.parents();
        return arms.empty() || arms.front().stats->known->in_flight ? nullptr : arms.front().stats;
    }

    static int failed_since_score(const CandidateStats& stats) {
        const auto scored = std::find_if(stats.own.rbegin(), stats.own.rend(),
                                         [](const Trial* trial) { return trial->status == RunStatus::done; });
        return static_cast<int>(scored - stats.own.rbegin());
    }

    // Replicates the leader at once if the noise is unknown, since until then nothing can be kept.
    std::optional<Plan> second_run() const {
        const CandidateStats* leader = best();
        auto under_way = [](const CandidateStats& stats) {
            return stats.scored() && stats.known != nullptr && stats.known->in_flight;
        };
        if (leader == nullptr || noise_.known() || failed_since_score(*leader) >= kMaxChallengerRuns ||
            std::ranges::any_of(candidates_.all(), under_way))
            return std::nullopt;
        return again(*leader, "replicate",
                     fmt::format("replicate: {} leads, and no candidate ran twice yet: the noise is unknown",
                                 short_id(leader->known->candidate.id)));
    }

    // Replicates an undecided leader before others build on it or see it, unless the gain of a new run exceeds the
    // possible cost of that doubt. Candidates that do not lead can wait: the model has their scores.
    std::optional<Plan> undecided_best() const {
        const CandidateStats* leader = best();
        if (leader == nullptr || leader->decision != Decision::undecided ||
            leader->own.size() >= static_cast<std::size_t>(kMaxChallengerRuns) || noise_.declared_none ||
            gain_per_run(history_, leader->known->candidate.id) > kMostDoubt * noise_.sigma)
            return std::nullopt;
        return again(*leader, "replicate",
                     fmt::format("replicate: {} leads, but is undecided after {} of at most {} runs",
                                 short_id(leader->known->candidate.id), leader->own.size(), kMaxChallengerRuns));
    }

    // Replicates the best candidate now and then if the noise is large enough to have chosen the wrong one, and twice
    // to measure the noise.
    std::optional<Plan> best_again() {
        bool now = random_.chance(kBestAgain);
        const CandidateStats* leader = best();
        if (noise_.declared_none || leader == nullptr || proposer_.parents().size() < 2 ||
            history_.trials.size() < kNoiseFrom || leader->runs() >= most_runs())
            return std::nullopt;
        if (proposer_.noise_known() && (!now || !proposer_.noise_matters())) return std::nullopt;
        return again(*leader, "replicate",
                     fmt::format("replicate: the best, {}, after {} run{}", short_id(leader->known->candidate.id),
                                 leader->runs(), leader->runs() == 1 ? "" : "s"));
    }

    // At most a tenth of a pool's runs replicate one candidate.
    int most_runs() const { return std::min(kMostRuns, 1 + static_cast<int>(history_.trials.size() / 10)); }

    std::vector<OperatorArm> arms() const {
        return operator_arms(history_, candidates_, external(), proposer_.hint_weight());
    }

    std::optional<Plan> by_operator() {
        std::vector<OperatorArm> arms = this->arms();
        std::erase_if(arms, [&](const OperatorArm& arm) { return !available(arm.name); });
        while (!arms.empty()) {
            std::vector<OperatorProbability> selection_probability = selection_probabilities(arms, random_);
            if (selection_probabilities_.empty()) selection_probabilities_ = selection_probability;
            std::vector<double> weights;
            std::string names;
            for (const OperatorProbability& entry : selection_probability) {
                weights.push_back(entry.selection_probability);
                names += fmt::format("{}{}", names.empty() ? "" : "/", entry.name);
            }
            std::size_t drawn = random_.pick(weights);
            if (auto proposal = propose(selection_probability[drawn].name)) {
                std::string name(selection_probability[drawn].name);
                std::string choice =
                    fmt::format("{} (odds {:.2f} of {}): {}", name, selection_probability[drawn].selection_probability,
                                names, proposal->how);
                if (!refused_.empty()) choice = fmt::format("{} gave nothing; {}", external(), choice);
                return finished(std::move(*proposal), std::move(name), std::move(choice));
            }
            arms.erase(arms.begin() + static_cast<std::ptrdiff_t>(drawn));
        }
        return std::nullopt;
    }

    std::string_view external() const { return input_.suggest ? std::string_view(input_.external) : ""; }

    bool available(std::string_view name) const {
        return name == external() ? !proposer_.parents().empty() : proposer_.available(name);
    }

    std::optional<Proposal> propose(std::string_view name) {
        if (name != external()) return proposer_.propose(name);
        auto proposal = suggested();
        if (proposal) return std::move(*proposal);
        refused_ = proposal.error().message;
        return std::nullopt;
    }

    Result<Proposal> suggested() const {
        TRY_ASSIGN(Suggestion suggestion, input_.suggest());
        TRY_ASSIGN(Candidate child, child_of(suggestion, input_, candidates_));
        const Candidate& parent = named(candidates_, suggestion.parent)->known->candidate;
        std::string how = fmt::format("parent {}; {}", short_id(parent.id),
                                      change_text(gene_changes(*input_.space, parent.genes, child.genes)));
        if (!suggestion.note.empty()) how += "; it says: " + suggestion.note;
        return Proposal{std::move(child), {parent.id}, std::move(how)};
    }

    Plan finished(Proposal proposal, std::string name, std::string choice) const {
        int runs = 0;
        if (const CandidateStats* stats = candidates_.find(proposal.child.id)) runs = again(*stats, "", "").replicate;
        return {
            std::move(proposal.child), std::move(proposal.parents), std::move(name), runs, std::move(choice), {}, {}};
    }

    // The space is exhausted: replicates the best ones.
    std::optional<Plan> least_run() const {
        const CandidateStats* least = nullptr;
        if (noise_.declared_none) return std::nullopt;
        for (const ParentArm& arm : proposer_.parents()) {
            if (arm.stats->known->in_flight || arm.stats->runs() >= kMostRuns) continue;
            if (least == nullptr || arm.stats->runs() < least->runs()) least = arm.stats;
        }
        if (least == nullptr) return std::nullopt;
        return again(*least, "replicate",
                     fmt::format("replicate: nothing new to try, {} has {} run{}", short_id(least->known->candidate.id),
                                 least->runs(), least->runs() == 1 ? "" : "s"));
    }

    std::optional<Plan> failed_seed() const {
        for (const CandidateStats& stats : candidates_.all()) {
            if (!stats.open() || !stats.known->seed || stats.known->in_flight || stats.scored()) continue;
            if (std::ranges::any_of(stats.own, [](const Trial* trial) { return trial->status == RunStatus::unfit; }))
                continue;
            return again(stats, "seed",
                         fmt::format("seed {} once more, since its run failed and nothing else is left",
                                     short_id(stats.known->candidate.id)));
        }
        return std::nullopt;
    }

    Result<Plan> nothing_left() const {
        if (!proposer_.parents().empty())
            return fail(
                Code::unfit,
                fmt::format("nothing new is left to try in '{}'{}", history_.category,
                            noise_.declared_none ? ", and the task declares that a second run tells nothing" : ""),
                "cultivar top");
        double budget_s = 0;
        for (const Trial& trial : history_.trials) budget_s = std::max(budget_s, trial.budget_s);
        std::string hint =
            budget_s > 0 ? fmt::format("cultivar explore --budget {:.0f}s", 2 * budget_s) : "cultivar pull";
        return fail(
            Code::unfit,
            fmt::format("nothing left to try in '{}': no seed fits and no candidate has a score", history_.category),
            std::move(hint));
    }

    const PlannerInput& input_;
    const History& history_;
    CandidateTable candidates_;
    Noise noise_;
    Random random_;
    Proposer proposer_;
    std::vector<OperatorProbability> selection_probabilities_;  // of the draw that chose the operator
    std::string refused_;
};

bool held_elsewhere(const KnownCandidate& known) { return known.in_flight && !known.held_here; }

// Plans as if no other clone had anything under way. Asks no external proposer, since it was asked already.
Result<Plan> plan_without_leases(const PlannerInput& input) {
    History history = *input.history;
    std::set<std::string_view> ran;
    for (const Trial& trial : history.trials) ran.insert(trial.candidate);
    std::erase_if(history.candidates, [&](const KnownCandidate& known) {  // known by its lease alone
        return held_elsewhere(known) && !known.seed && !known.kept && !ran.contains(known.candidate.id);
    });
    for (KnownCandidate& known : history.candidates) known.in_flight = known.in_flight && known.held_here;
    PlannerInput free = input;
    free.history = &history;
    free.suggest = nullptr;
    TRY_ASSIGN(Plan plan, Planner(free).plan());
    plan.choice += "; others lease all else that could be tried";
    return plan;
}

}  // namespace

const KnownCandidate* incumbent(const PlannerInput& input) {
    CandidateTable candidates(*input.history);
    Random random(0);
    Proposer proposer(input, candidates, random);
    return proposer.parents().empty() ? nullptr : proposer.parents().front().stats->known;
}

Result<Plan> plan_next(const PlannerInput& input) {
    if (input.space == nullptr || input.history == nullptr)
        return fail(Code::usage, "the planner needs a space and a history");
    auto plan = Planner(input).plan();
    if (plan || plan.error().code != Code::unfit || std::ranges::none_of(input.history->candidates, held_elsewhere))
        return plan;
    auto late = plan_without_leases(input);
    return late ? std::move(late) : std::move(plan);
}

}  // namespace cultivar
