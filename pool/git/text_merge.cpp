#include "pool/git/text_merge.h"

#include <git2.h>

#include <fmt/format.h>

#include "pool/git/libgit2_handle.h"

namespace cultivar {
namespace {

tl::unexpected<Error> text_failure(const char* what) {
    const git_error* last = git_error_last();
    return fail(Code::git, fmt::format("{}: {}", what, last && last->message ? last->message : "unknown error"));
}

git_merge_file_input input_of(std::string_view bytes) {
    git_merge_file_input input{};
    git_merge_file_input_init(&input, GIT_MERGE_FILE_INPUT_VERSION);
    input.ptr = bytes.data() ? bytes.data() : "";
    input.size = bytes.size();
    return input;
}

// It counts its users itself; without another one, every call would set it up again.
void library() {
    static const int users = git_libgit2_init();
    (void)users;
}

}  // namespace

Result<TextMerge> merge_texts(std::string_view base, std::string_view ours, std::string_view theirs) {
    library();
    const git_merge_file_input ancestor = input_of(base), one = input_of(ours), two = input_of(theirs);
    git_merge_file_result merged = {};
    if (git_merge_file(&merged, &ancestor, &one, &two, nullptr) != 0) return text_failure("cannot merge two texts");
    TextMerge result{merged.ptr ? std::string(merged.ptr, merged.len) : std::string(), merged.automergeable != 0};
    git_merge_file_result_free(&merged);
    return result;
}

Result<std::string> unified_diff(const std::string& path, const std::string* before, const std::string* after) {
    library();
    Libgit2Handle<git_patch, git_patch_free> patch;
    const auto bytes = [](const std::string* text) { return text ? text->data() : nullptr; };
    const auto size = [](const std::string* text) { return text ? text->size() : 0; };
    if (git_patch_from_buffers(patch.out(), bytes(before), size(before), path.c_str(), bytes(after), size(after),
                               path.c_str(), nullptr) != 0)
        return text_failure("cannot compare two texts");
    if (git_patch_num_hunks(patch.get()) == 0 && (git_patch_get_delta(patch.get())->flags & GIT_DIFF_FLAG_BINARY) == 0)
        return std::string();
    git_buf text = GIT_BUF_INIT;
    if (git_patch_to_buf(&text, patch.get()) != 0) return text_failure("cannot compare two texts");
    std::string diff(text.ptr, text.size);
    git_buf_dispose(&text);
    return diff;
}

}  // namespace cultivar
