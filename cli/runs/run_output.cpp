#include "cli/runs/run_output.h"

#include <algorithm>
#include <filesystem>
#include <vector>

#include <fmt/format.h>

#include "pool/util/short_id.h"
#include "train/launch/kept_output.h"

namespace cultivar {
namespace {

constexpr std::uintmax_t kMostKept_bytes = 64 << 20;
constexpr std::size_t kMostKept = 10'000;
constexpr char kLooksAt = '0';  // one record id in 16 begins so: to look at all files at every run takes too long

std::string output_dir(const Session& session) { return session.clone->state_dir + "output/"; }

void remove_oldest(const std::string& folder) {
    struct Kept {
        std::filesystem::file_time_type written;
        std::uintmax_t bytes;
        std::filesystem::path path;
    };
    std::vector<Kept> all;
    std::error_code ec;
    for (std::filesystem::directory_iterator at(folder, ec), end; !ec && at != end; at.increment(ec)) {
        std::error_code gone;
        Kept kept{at->last_write_time(gone), at->file_size(gone), at->path()};
        if (!gone) all.push_back(std::move(kept));
    }
    std::ranges::sort(all, std::ranges::greater(), &Kept::written);
    std::uintmax_t bytes = 0;
    for (std::size_t i = 0; i < all.size(); ++i) {
        bytes += all[i].bytes;
        if (bytes > kMostKept_bytes || i >= kMostKept) std::filesystem::remove(all[i].path, ec);
    }
}

}  // namespace

std::string output_text(const Outcome& outcome) {
    std::string text;
    for (const auto& [heading, stream] : {std::pair("standard output", &outcome.output),
                                          {"standard error", &outcome.errors},
                                          {"evaluator", &outcome.evaluator_output}}) {
        if (stream->empty()) continue;
        text += fmt::format("== {} ==\n{}{}", heading, *stream, stream->ends_with('\n') ? "" : "\n");
    }
    return text;
}

Result<void> keep_output(const Session& session, const std::string& record_id, const std::string& text) {
    if (text.empty()) return {};
    const std::string folder = output_dir(session);
    std::error_code ec;
    std::filesystem::create_directories(folder, ec);
    if (ec) return fail(Code::io, fmt::format("cannot create '{}': {}", folder, ec.message()));
    TRY(write_file_unsynced(folder + record_id, text));
    if (record_id.starts_with(kLooksAt)) remove_oldest(folder);
    return {};
}

Result<std::string> kept_output(const Session& session, const std::string& record_id) {
    constexpr std::size_t kMost_bytes = 4 * (kKeptHead_bytes + kKeptTail_bytes);
    auto text = read_file(output_dir(session) + record_id, kMost_bytes);
    if (text || text.error().code != Code::not_found) return text;
    return fail(Code::not_found, fmt::format("no output of run {} is kept in this clone", short_id(record_id)),
                "cultivar log");
}

}  // namespace cultivar
