#include "tests/pool/support/world.h"

#include <cstdlib>
#include <filesystem>

#include <fmt/format.h>

#include "pool/clone/journal.h"
#include "pool/storage/artifact_commit.h"
#include "pool/util/sha256.h"

namespace cultivar {

World::World() : hub_(folder_.file("hub.git")) {
    ::setenv("XDG_STATE_HOME", folder_.file("state").c_str(), 1);  // where trust is kept
    shell("git init -q --bare -b main " + hub_);
}

Clone World::found(const std::string& name, const Task& task, const MainFiles& files) {
    Repo repo = must(create_clone(path(name), false, hub_, {name, "machine"}));
    std::string state = repo.git_dir() + "cultivar/";
    std::filesystem::create_directories(state);
    Key key = must(Key::load_or_create(state + "key.pem"));
    std::string writer = name + ".machine." + key.fingerprint().substr(0, 8);
    Clone clone{std::move(repo), state, key, writer, {}, {}, {}};
    MainFiles all = files;
    all.emplace_back("pool.toml", to_toml(task));
    all.emplace_back("allowed_signers", writer + " namespaces=\"git\" " + key.public_text() + "\n");
    must(clone.commit_main(all, "Create the pool"));
    return reopen(name);
}

Clone World::join(const std::string& name) {
    must(create_clone(path(name), true, hub_, {name, "machine"}));
    git(path(name), "fetch -q origin");
    return reopen(name);
}

std::string spool(const Clone& clone, const Record& record) { return must(append_record(clone, record)); }

Run run_by(const Clone& clone, const Genes& changes, double val_loss, int replicate) {
    return scored_run(clone.task, clone.writer, changes, val_loss, replicate);
}

void give_artifact(Clone& clone, Run& run, const std::string& bytes) {
    run.artifact = sha256_hex(bytes);
    run.artifact_bytes = static_cast<std::int64_t>(bytes.size());
    must(store_artifact(clone.repo, run.artifact, bytes));
}

Claim claim_of(const Clone& clone, const std::vector<Run>& runs) {
    Claim claim;
    const Run& first = runs.front();
    claim.task = clone.task_id;
    claim.candidate = first.candidate;
    claim.toml = first.toml;
    claim.parents = first.parents;
    claim.category = first.category;
    for (const Run& run : runs) {
        claim.runs.push_back(record_id(to_line(run)));
        claim.val_bpb += *run.val_bpb / static_cast<double>(runs.size());
    }
    claim.artifact = first.artifact;
    claim.artifact_run = claim.runs.front();
    claim.writer = clone.writer;
    claim.at = "2026-11-21T05:00:00Z";
    return claim;
}

std::pair<Key, Key> keys_alike(const TempFolder& folder) {
    const auto key = [&](const std::string& name, const std::string& body) {
        return must(
            Key::load(folder.write(name, "-----BEGIN PRIVATE KEY-----\n" + body + "\n-----END PRIVATE KEY-----\n")));
    };
    return {key("alike-1.pem", "MC4CAQAwBQYDK2VwBCIEIPJJ/XzYe9RfIovvCxz3/JyW6iszgWY6qShnRFRkY9wW"),
            key("alike-2.pem", "MC4CAQAwBQYDK2VwBCIEICt+flu2JA0Ckg2NEtWEpqnPTlOtSP02wNBsyhJrLTCo")};
}

Oid commit_by_hand(const std::string& repository, const std::string& ref,
                   const std::vector<std::pair<std::string, std::string>>& files, const std::string& parent,
                   const std::string& mode) {
    TempFolder folder;
    const std::string index = "GIT_INDEX_FILE=" + folder.file("index") + " git -C " + repository + " ";
    auto line = [](std::string text) {
        while (!text.empty() && text.back() == '\n') text.pop_back();
        return text;
    };
    shell(index + "read-tree --empty");
    for (const auto& [path, bytes] : files) {
        std::string blob = line(shell("git -C " + repository + " hash-object -w " + folder.write("bytes", bytes)));
        shell(index + fmt::format("update-index --add --cacheinfo {},{},{}", mode, blob, path));
    }
    std::string tree = line(shell(index + "write-tree"));
    std::string commit = line(shell(fmt::format("git -C {} commit-tree {}{} -m hand-made", repository, tree,
                                                parent.empty() ? "" : " -p " + parent)));
    shell(fmt::format("git -C {} update-ref {} {}", repository, ref, commit));
    return commit;
}

}  // namespace cultivar
