// Decides which candidates are retired: not worth exploring from. The runs of a retired candidate stay, and teach the
// search as before; it gets no children, no further runs and no claims, and `archive` takes it first.
//
// Only the newest statement of each writer counts. The first of these authorities that has made a statement decides:
//   1. this clone itself, for this clone alone;
//   2. the pool's verifiers (allowed_signers on main), for everybody: the newest of their statements;
//   3. the writers with a scored run of the candidate, for everybody, once all of them have retired it: "kept" is a
//      writer's own word, and must not outvote those whose run of it was not kept, or not yet. Of a pool's seed
//      they are no authority, because anybody may score it before others have.
// No other writer may decide: otherwise anybody with push access could retire the best of a pool.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "pool/types/record.h"

namespace cultivar {

struct RetirementStatement {
    Retirement said;
    std::string key;  // fingerprint of the key that signed the journal
};

struct Retired {
    std::string writer, reason, at;  // of the statement that decided
    bool everywhere = false;         // for everybody, not for this clone alone
    bool by_keepers = false;         // by its scorers alone; a pool's seeds stay open all the same
};

struct RetirementAuthority {
    std::string own;                                                             // this clone's writer
    std::set<std::string> verifiers;                                             // fingerprints
    std::function<std::set<std::string>(const std::string& candidate)> scorers;  // writers with a scored run of it
};

// The retired candidates, by id. `statements` are in the order in which they were met; of two at the same time the later
// one in the list is the newer.
std::map<std::string, Retired> retired_by(const std::vector<RetirementStatement>& statements,
                                          const RetirementAuthority& authority);

}  // namespace cultivar
