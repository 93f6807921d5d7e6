// Clones of one tiny pool around a bare repository, the hosting, all in one temporary folder.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "pool/clone/clone.h"
#include "tests/pool/support/fixture.h"

namespace cultivar {

using MainFiles = std::vector<std::pair<std::string, std::string>>;  // path, bytes

class World {
public:
    World();

    const std::string& hub() const { return hub_; }
    const TempFolder& folder() const { return folder_; }
    std::string path(const std::string& name) const { return folder_.file(name); }

    // Founds a pool with `task` on main, and these files beside it, not shared yet; its owner is a verifier.
    Clone found(const std::string& name, const Task& task = tiny_task(), const MainFiles& files = {});
    // Clones the hosting.
    Clone join(const std::string& name);
    // Opens the same clone again, as another process would.
    Clone reopen(const std::string& name) { return must(open_clone(path(name))); }

    // Returns every ref of the hosting with its object, one per line.
    std::string hub_refs() const { return git(hub_, "for-each-ref --format='%(refname) %(objectname)'"); }

private:
    TempFolder folder_;
    std::string hub_;
};

// Adds the record to the clone's spool and returns its id.
std::string spool(const Clone& clone, const Record& record);

// Returns a scored run by this clone.
Run run_by(const Clone& clone, const Genes& changes, double val_loss, int replicate = 0);

// Stores `bytes` as the run's artifact.
void give_artifact(Clone& clone, Run& run, const std::string& bytes);

// Returns a claim of these runs, which must be of one candidate and be in the clone's spool or journal.
Claim claim_of(const Clone& clone, const std::vector<Run>& runs);

// Two keys whose fingerprints begin with the same eight digits; found by trying 111,155.
std::pair<Key, Key> keys_alike(const TempFolder& folder);

// Writes files ("seg/000000.jsonl" -> bytes) with any content as a commit on a branch, with git. `mode` is the mode of
// every file.
Oid commit_by_hand(const std::string& repository, const std::string& ref,
                   const std::vector<std::pair<std::string, std::string>>& files, const std::string& parent = "",
                   const std::string& mode = "100644");

}  // namespace cultivar
