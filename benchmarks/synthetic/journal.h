// The journals of a synthetic pool: a writer with a key, and the pushes of a journal. A journal is made in two steps,
// because a pack must be complete before trees can name its objects.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "benchmarks/synthetic/pack_writer.h"
#include "pool/git/signing_key.h"
#include "pool/storage/segment_log.h"

namespace cultivar {

struct SyntheticWriter {
    Key key;
    std::string name;  // "synthetic-0007.box.0123abcd"
    std::string category;

    std::string journal_ref() const { return "refs/heads/journal/" + name; }
    Identity at(std::int64_t unix_s) const { return {name, name + "@cultivar.invalid", unix_s}; }
};

// Makes a writer. The same seed and number give the same key. Errors: io.
Result<SyntheticWriter> synthetic_writer(std::uint64_t seed, int number);

class JournalBuilder {
public:
    JournalBuilder(SyntheticWriter writer, PackWriter& pack) : writer_(std::move(writer)), pack_(&pack) {}

    const SyntheticWriter& writer() const { return writer_; }
    // Appends a record. Every 25 records make a push, dated by the last of them.
    Result<void> append(const std::string& line, std::int64_t unix_s);
    Result<void> push();

    // Writes trees, signed commits and the branch. Call it after the pack is finished.
    Result<void> commit(Repo& repo) const;

private:
    struct Push {
        std::size_t records = 0;
        std::int64_t unix_s = 0;
        std::vector<std::pair<std::size_t, Oid>> segments;  // the segments that the push made or changed
    };
    Result<void> store_segment();

    SyntheticWriter writer_;
    PackWriter* pack_;
    std::vector<Push> pushes_;
    Push open_;
    std::string segment_;
    std::size_t segment_number_ = 0, segment_records_ = 0;
    std::optional<PackWriter::Stored> stored_;  // the open segment as of the last push
};

}  // namespace cultivar
