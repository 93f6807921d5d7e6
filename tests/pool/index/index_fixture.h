// A clone with an index, and journals of strangers as a fetch would leave them.
#pragma once

#include <filesystem>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "pool/clone/journal.h"
#include "pool/index/index.h"
#include "pool/storage/segment_log.h"
#include "tests/pool/support/world.h"

namespace cultivar {

// Returns each refused ref or record with the reason, one per line.
inline std::string told(const RefreshReport& report) {
    std::string text;
    for (const Refusal& refusal : report.refused) text += refusal.where + ": " + refusal.reason + "\n";
    return text;
}

// Returns all answers of an index as text.
inline std::string answers(Index& index) {
    const Totals totals = must(index.totals());
    std::string text =
        fmt::format("{} runs, {} done, {} failed, {} kept, {} claims, {} contributors, {} refused\n", totals.runs,
                    totals.done, totals.failed, totals.kept, totals.claims, totals.contributors, totals.refused);
    for (const Standing& row : must(index.standings()))
        text += fmt::format("{} {} {} {:.9f} {} '{}' {}\n", row.candidate, row.category, row.runs, row.val_bpb,
                            row.kept, row.verdict, row.contributor);
    for (const RunRow& row : must(index.runs()))
        text += row.id + (row.refused ? " refused " : " ") + row.why_refused + "\n";
    for (const ClaimRow& row : must(index.claims()))
        text += fmt::format("{} '{}' {}\n", row.id, row.problem, row.verdict ? name(row.verdict->result) : "-");
    for (const CandidateRow& row : must(index.candidates()))
        text += fmt::format("{} <- {} at {}\n", row.id, fmt::join(row.parents, " "), fmt::join(row.commits, " "));
    return text;
}

class IndexTest : public ::testing::Test {
protected:
    explicit IndexTest(const Task& task = tiny_task(), const MainFiles& files = {})
        : ann_(world_.found("ann", task, files)) {}

    // The fetched journal of a writer that only the hosting knows.
    struct Stranger {
        Key key;
        std::string writer, ref;
    };
    Stranger stranger(const std::string& name) {
        Key key = must(Key::load_or_create(world_.path(name + ".pem")));
        std::string writer = name + ".box." + key.fingerprint().substr(0, 8);
        return {key, writer, "refs/remotes/origin/journal/" + writer};
    }
    void publish(const Stranger& who, const std::vector<Record>& records) {
        std::vector<std::string> lines;
        for (const Record& record : records) lines.push_back(to_line(record));
        must(append_log(ann_.repo, who.ref, lines, {who.writer, "x@example.org", 1795232400}, who.key));
    }
    // Writes a commit of one file in one folder with any content, signed like a log's commit.
    Oid signed_by_hand(const Stranger& who, const std::string& in, const std::string& name, const std::string& bytes,
                       const std::vector<Oid>& parents = {}) {
        Oid folder = must(ann_.repo.write_tree({{name, must(ann_.repo.write_blob(bytes)), false, true}}));
        Oid tree = must(ann_.repo.write_tree({{in, folder, true, false}}));
        return must(
            ann_.repo.write_commit({tree, parents, {who.writer, "x@example.org", 1795232400}, "x\n"}, &who.key));
    }
    std::string rebuilt() {
        for (const char* tail : {"", "-wal", "-shm"}) std::filesystem::remove(ann_.index_dir() + "index.sqlite" + tail);
        Index index = must(Index::open(ann_));
        return answers(index);
    }

    World world_;
    Clone ann_;
};

}  // namespace cultivar
