#include "cli/runs/artifact_files.h"

#include <filesystem>

#include <fmt/format.h>

#include "pool/types/artifact_folder.h"
#include "pool/util/file.h"
#include "pool/util/left_file.h"

namespace cultivar {
namespace {

namespace fs = std::filesystem;

constexpr unsigned kMode = 0700;  // an evaluator may start a program that it judges

Result<std::string> read_artifact_file(const fs::path& path, std::size_t cap_bytes) {
    auto bytes = read_left_file(path.parent_path().string(), path.filename().string(), cap_bytes);
    if (!bytes && bytes.error().code == Code::corrupt) return fail(Code::corrupt, "its artifact is over the cap");
    if (!bytes && bytes.error().code == Code::not_found) return fail(Code::corrupt, "its artifact cannot be read");
    if (!bytes) return fail(bytes.error());
    TRY(check_artifact_form(*bytes));
    return bytes;
}

Result<std::string> read_artifact_folder(const fs::path& path, std::size_t cap_bytes) {
    auto files = read_left_folder(path.parent_path().string(), path.filename().string(),
                                  {cap_bytes, kMaxArtifactFiles, kMaxArtifactDepth});
    if (!files && files.error().code == Code::io) return fail(files.error());
    if (!files) return fail(Code::corrupt, "its artifact, a folder, cannot be kept: " + files.error().message);
    TRY_ASSIGN(std::string bytes, pack_artifact_folder(std::move(*files)));
    if (bytes.size() > cap_bytes) return fail(Code::corrupt, "its artifact is over the cap");
    return bytes;
}

}  // namespace

Result<std::optional<std::string>> left_artifact(const std::string& path, std::int64_t cap_bytes) {
    using Left = std::optional<std::string>;
    std::error_code ec;
    const fs::file_status facts = fs::symlink_status(path, ec);
    if (!fs::exists(facts)) return Left();
    if (!fs::is_regular_file(facts) && !fs::is_directory(facts))
        return fail(Code::corrupt, "its artifact is neither a file nor a folder");
    const auto cap = static_cast<std::size_t>(cap_bytes);
    TRY_ASSIGN(std::string bytes,
               fs::is_directory(facts) ? read_artifact_folder(path, cap) : read_artifact_file(path, cap));
    return Left(std::move(bytes));
}

Result<void> check_artifact_form(const std::string& bytes) {
    if (is_artifact_folder(bytes)) TRY(unpack_artifact_folder(bytes));
    return {};
}

Result<void> lay_out_artifact(const std::string& bytes, const std::string& path) {
    if (!is_artifact_folder(bytes)) return write_file_unsynced(path, bytes, kMode);
    TRY_ASSIGN(const PackedFiles files, unpack_artifact_folder(bytes));
    for (const auto& [name, content] : files) {
        const std::string at = path + "/" + name;
        TRY(make_folder_of(at));
        TRY(write_file_unsynced(at, content, kMode));
    }
    return {};
}

}  // namespace cultivar
