// Writes files of a journal straight into a git pack. A segment that grew is stored as a delta with the added bytes, as
// a host stores the objects of thin pushes: loose objects would take many times the space, and repacking them minutes.
#pragma once

#include <cstdint>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>

#include "pool/git/repository.h"
#include "pool/util/result.h"

namespace cultivar {

class PackWriter {
public:
    // The place of a file in the pack, as the base of a file that begins with the same bytes.
    struct Stored {
        Oid oid;
        std::uint64_t offset = 0;
        std::size_t size_bytes = 0;
    };

    // Writes into `git_dir` (without a trailing '/'). Errors: io.
    static Result<PackWriter> create(const std::string& git_dir);

    // `bytes` must begin with those of `before`, if given. Errors: io.
    Result<Stored> add(std::string_view bytes, const std::optional<Stored>& before);
    // Closes the pack and has git index it. Its objects do not exist before. Errors: io, git.
    Result<void> finish();

private:
    Result<void> write_entry(int type, std::size_t size_bytes, std::string_view base_offset, std::string_view data);

    std::string folder_, path_;
    std::fstream file_;
    std::uint64_t offset_ = 0;
    std::uint32_t count_ = 0;
};

}  // namespace cultivar
