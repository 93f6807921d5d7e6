// Runs `cultivar explore` on a table: the planner with the history that a pool would have; each run's loss is looked
// up. The same rules judge, keep and cross. Runs under way are leases.
#pragma once

#include <map>

#include "bandit/planner/planner.h"
#include "benchmarks/search/search_methods.h"

namespace cultivar {

class PlannedSearch final : public SearchMethod {
public:
    PlannedSearch(const SearchTable& table, std::uint64_t seed, const Prelude& prelude = {});
    PlannedSearch(const PlannedSearch&) = delete;
    PlannedSearch& operator=(const PlannedSearch&) = delete;

    std::optional<Launch> next() override;
    void finished(const Launch& launch, double loss) override;
    std::size_t best() const override;

private:
    struct UnderWay {
        std::string operator_name;
        std::vector<std::string> parents;
    };
    void know(std::size_t row, Random& luck);
    void forge(std::size_t row, Random& luck);
    void hear_of(const SearchTable& elsewhere, int told);
    KnownCandidate& entry_of(std::size_t row);
    PlannerInput input() const;
    Result<Candidate> cross(const std::string& a, const std::string& b) const;
    std::vector<std::string> ancestors(const std::string& id) const;  // nearest first, itself included
    const KnownCandidate& known(const std::string& id) const { return history_.candidates[at_.at(id)]; }

    const SearchTable& table_;
    std::uint64_t seed_;
    History history_;
    std::map<std::string, std::size_t> at_;      // candidates by id
    std::map<std::size_t, std::string> ids_;     // by row
    std::map<std::size_t, UnderWay> under_way_;  // by row
};

}  // namespace cultivar
