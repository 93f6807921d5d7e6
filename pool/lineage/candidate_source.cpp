// Lineage's bytes of candidates' files: the objects that hold them, by the digests that candidates name.
#include <algorithm>

#include <fmt/format.h>

#include "pool/git/text_merge.h"
#include "pool/lineage/candidate_commits.h"
#include "pool/util/sha256.h"
#include "pool/util/short_id.h"

namespace cultivar {
namespace {

tl::unexpected<Error> no_source(const std::string& sha256) {
    return fail(Code::not_found, fmt::format("nobody gave the file with SHA-256 {}", short_id(sha256)),
                "cultivar pull");
}

}  // namespace

// An object that git removed since is none.
Result<std::optional<Oid>> Lineage::object_of(const std::string& sha256) {
    TRY(prepare());
    if (const auto known = objects_.find(sha256); known != objects_.end()) return std::optional(known->second);
    TRY_ASSIGN(std::optional<Oid> object, object_->bind(":sha256", sha256).first([](Row& row) { return row.text(); }));
    if (object && repo_.has_object(*object)) {
        if (objects_.size() >= kKnownObjects) objects_.clear();
        objects_.emplace(sha256, *object);
        return object;
    }
    if (!task_.command) return std::optional<Oid>();
    const auto& files = task_.command->files;
    const auto of_task = std::ranges::find(files, sha256, &CommandFile::sha256);
    return of_task == files.end() || of_task->object.empty() ? std::optional<Oid>() : std::optional(of_task->object);
}

Result<SourceBlobs> Lineage::blobs_of(const Candidate& candidate) {
    SourceBlobs blobs;
    for (const auto& [path, sha256] : candidate.files) {
        TRY_ASSIGN(const std::optional<Oid> object, object_of(sha256));
        if (!object) return no_source(sha256);
        blobs[sha256] = *object;
    }
    return blobs;
}

Result<void> Lineage::keep_source(const SourceBlobs& blobs) {
    if (blobs.empty()) return {};
    TRY(prepare());
    for (const auto& [sha256, object] : blobs) TRY(put_object_->bind(":sha256", sha256).bind(":object", object).run());
    return {};
}

Result<bool> Lineage::has_source(const Candidate& candidate) {
    const auto blobs = blobs_of(candidate);
    if (!blobs && blobs.error().code != Code::not_found) return fail(blobs.error());
    return blobs.has_value();
}

Result<std::string> Lineage::source(const std::string& sha256) {
    TRY_ASSIGN(const std::optional<Oid> object, object_of(sha256));
    if (!object) return no_source(sha256);
    return repo_.read_blob(*object, std::max<std::size_t>(kMaxSource_bytes, kMaxCommandFile_bytes));
}

Result<std::string> Lineage::add_source(std::string_view bytes) {
    TRY_ASSIGN(const Oid object, repo_.write_blob(bytes));
    std::string sha256 = sha256_hex(bytes);
    TRY(keep_source({{sha256, object}}));
    return sha256;
}

Result<std::string> Lineage::merged_file(const FileVersions& file) {
    const SourceFiles& of_task = task_.space.surface()->task_files();
    const auto task_file = of_task.find(file.path);
    const std::string base_digest = !file.base.empty()           ? file.base
                                    : task_file == of_task.end() ? std::string()
                                                                 : task_file->second;
    std::string base;
    if (!base_digest.empty()) {
        TRY_ASSIGN(base, source(base_digest));
    }
    TRY_ASSIGN(const std::string a, source(file.a));
    TRY_ASSIGN(const std::string b, source(file.b));
    TRY_ASSIGN(const TextMerge merge, merge_texts(base, a, b));
    if (!merge.clean || !task_.space.surface()->check_bytes(file.path, merge.text)) return std::string();
    return add_source(merge.text);
}

}  // namespace cultivar
