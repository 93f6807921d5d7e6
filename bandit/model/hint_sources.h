// Hint sources: other people's results, each on its own scale, and their agreement with the results here.
//
// A source is either the unverified runs of one writer in one category, or all trusted runs of another category (this
// clone's own and accepted ones). A writer's result counts only if it was recorded before the candidate ran here; a
// later one may be copied. Writers with fewer than 4 results in a category form one source together. Scores of
// different sources are never compared: the model (bandit/model/surrogate.h) uses each source's ranks as a hint and
// learns its weight from the own runs. A slower machine's pool thus helps a faster one's where their rankings agree,
// and a thousand forged scores weigh only as much as they predicted. At most three sources are used: those with the
// best agreement, then the largest.
#pragma once

#include <string>
#include <vector>

#include "bandit/history/candidate_stats.h"
#include "bandit/model/tpe.h"

namespace cultivar {

struct HintSource {
    std::string_view category;
    std::string_view writer;           // "": trusted runs, or several writers
    bool sure = false;                 // own or accepted runs
    std::vector<Observation> results;  // one per candidate, in the order in which candidates became known
    int shared = 0;                    // number of these candidates that were scored here too
    double agreement = 0;              // Spearman's rank correlation over the shared candidates; 0 for fewer than 3
};

// A source that the model used, as an explanation shows it.
struct HintSourceValue {
    std::string category, writer;  // writer "": trusted runs, or several writers
    bool sure = false;
    int results = 0, shared = 0;
    double agreement = 0, weight = 0;
};

// The result refers to the history.
std::vector<HintSource> hint_sources(const History& history, const CandidateTable& candidates);

}  // namespace cultivar
