// Sources: other repositories that this clone reads beside origin, forks and pull requests. They are kept in the
// clone's git configuration ([cultivar-source "NAME"] url, refs) and fetched to
//   refs/sources/NAME/journal/*, refs/sources/NAME/candidates/*   from the branches of the same names
//   refs/sources/NAME/bundle/*                                    from `refs`, e.g. refs/pull/*/head (pool/storage/bundle.h)
// Everything that comes from a source is checked as usual, and marked with the source's name.
#pragma once

#include <string>
#include <vector>

#include "pool/git/repository.h"

namespace cultivar {

struct ExtraRemote {
    std::string name;  // lower-case letters, digits and '-'
    std::string url;
    std::string refs;  // a ref or a pattern with one '*'; "": a pool's own branches
};

// By name.
Result<std::vector<ExtraRemote>> extra_remotes(const Repo& repo);
// Errors: usage (a name that is taken or malformed, a pattern that is none).
Result<void> add_extra_remote(Repo& repo, const ExtraRemote& source);
// Deletes its refs. Records that the index has read from them stay in the index. Errors: not_found.
Result<void> remove_extra_remote(Repo& repo, const std::string& name);

std::vector<std::string> refspecs_of(const ExtraRemote& source);
// "fork" for "refs/sources/fork/journal/x"; "" for refs of this clone and its origin.
std::string extra_remote_of_ref(const std::string& ref);

}  // namespace cultivar
