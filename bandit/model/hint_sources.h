// Sources: what others say of candidates, each in its own scale, and how well that agrees with what ran here.
//
// A source is the unverified runs of one writer in one category, or all that is sure of another category (this clone's
// own runs there and accepted ones). What a writer says of a candidate after it ran here counts for nothing: it may be
// copied. Writers with fewer than 4 results in a category are one source together. Scores of different sources are
// never compared: the model (bandit/surrogate) takes each source's ranks as a hint and learns from the own runs what
// that is worth, so that a slower machine's pool helps a faster one's where their rankings agree, and a thousand forged
// scores are worth what they predicted. At most three sources are heard: those that agreed best, then the largest.
#pragma once

#include <string>
#include <vector>

#include "bandit/history/candidate_stats.h"
#include "bandit/model/tpe.h"

namespace cultivar {

struct HintSource {
    std::string_view category;
    std::string_view writer;        // "": sure, or several writers
    bool sure = false;              // own or accepted
    std::vector<Observation> said;  // one a candidate, in the order these became known
    int shared = 0;                 // of these candidates: have figures here
    double agreement = 0;           // Spearman's correlation of both rankings over the shared ones; 0 for fewer than 3
};

// A source that the model heard.
struct SourceValue {
    std::string category, writer;  // writer "": sure, or several
    bool sure = false;
    int results = 0, shared = 0;
    double agreement = 0, weight = 0;
};

// Refers to the history.
std::vector<HintSource> sources(const History& history, const CandidateStandings& contenders);

}  // namespace cultivar
