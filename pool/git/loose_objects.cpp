#include "pool/git/loose_objects.h"

#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>

#include <fmt/format.h>

#include <git2.h>
#include <git2/sys/odb_backend.h>

#include "pool/git/inflated_file.h"
#include "pool/git/libgit2_handle.h"

namespace cultivar {
namespace {

constexpr int kPriority = 2;                  // as packs have it, which came before; libgit2's own reader has 1
constexpr std::size_t kMostInflation = 1032;  // bytes that one byte of a deflated stream can stand for
constexpr std::size_t kMostHead_bytes = 64;
constexpr int kMostAlternates = 100;

// The beginning of an object: "blob 12", a zero byte, and the first bytes of its content.
struct Head {
    git_object_t type = GIT_OBJECT_INVALID;
    std::size_t size = 0;
    std::string content;
};

std::optional<Head> read_head(InflatedFile& file) {
    const std::optional<std::size_t> bytes = file.file_bytes();
    char text[kMostHead_bytes];
    const std::string_view all(text, bytes ? file.read(text, sizeof text) : 0);
    const std::size_t space = all.find(' '), end = all.find('\0');
    if (space == std::string_view::npos || end == std::string_view::npos || space > end) return std::nullopt;
    Head head;
    head.type = git_object_string2type(std::string(all.substr(0, space)).c_str());
    const char* const digits_end = all.data() + end;
    const auto [read_to, wrong] = std::from_chars(all.data() + space + 1, digits_end, head.size);
    const bool sound = wrong == std::errc() && read_to == digits_end && head.size <= *bytes * kMostInflation;
    if (!sound || git_object_typeisloose(head.type) != 1) return std::nullopt;
    head.content = all.substr(end + 1);
    return head;
}

// A backend of libgit2 that knows loose objects alone.
struct LooseReader {
    git_odb_backend backend{};         // the first, because libgit2 knows the reader by it
    std::vector<std::string> folders;  // of objects, each with a trailing '/'
};

// The open file of an object; -1: libgit2 may look elsewhere for it, and say why it cannot be opened.
int open_object(git_odb_backend* backend, const git_oid* oid) {
    char name[GIT_OID_HEXSZ + 2] = {};
    git_oid_pathfmt(name, oid);
    for (const std::string& folder : reinterpret_cast<LooseReader*>(backend)->folders) {
        const int fd = ::open((folder + name).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (fd >= 0) return fd;
    }
    return -1;
}

int damaged(const git_oid* oid) {
    char name[GIT_OID_HEXSZ + 1] = {};
    git_oid_tostr(name, sizeof name, oid);
    git_error_set_str(GIT_ERROR_ODB, fmt::format("loose object {} is damaged or ends early", name).c_str());
    return GIT_ERROR;
}

int read_header(std::size_t* size, git_object_t* type, git_odb_backend* backend, const git_oid* oid) {
    const int fd = open_object(backend, oid);
    if (fd < 0) return GIT_PASSTHROUGH;
    InflatedFile file(fd);
    const std::optional<Head> head = read_head(file);
    if (!head) return damaged(oid);
    *size = head->size;
    *type = head->type;
    return GIT_OK;
}

int read(void** data, std::size_t* size, git_object_t* type, git_odb_backend* backend, const git_oid* oid) {
    const int fd = open_object(backend, oid);
    if (fd < 0) return GIT_PASSTHROUGH;
    InflatedFile file(fd);
    const std::optional<Head> head = read_head(file);
    if (!head || head->content.size() > head->size) return damaged(oid);
    auto* const bytes = static_cast<char*>(git_odb_backend_data_alloc(backend, head->size + 1));
    if (!bytes) return GIT_ERROR;
    const std::size_t begun = head->content.size();
    std::memcpy(bytes, head->content.data(), begun);
    const bool whole = file.read(bytes + begun, head->size - begun) == head->size - begun && file.is_at_end();
    if (!whole) {
        git_odb_backend_data_free(backend, bytes);
        return damaged(oid);
    }
    bytes[head->size] = '\0';
    *data = bytes;
    *size = head->size;
    *type = head->type;
    return GIT_OK;
}

// The folder of objects and those that its file `info/alternates` names, and theirs.
std::vector<std::string> folders_of_objects(const std::string& own) {
    std::vector<std::string> folders = {own};
    for (std::size_t at = 0; at < folders.size(); ++at) {
        std::ifstream lines(folders[at] + "info/alternates");
        for (std::string line; folders.size() < kMostAlternates && std::getline(lines, line);) {
            if (line.empty() || line.front() == '#') continue;
            folders.push_back(std::filesystem::path(folders[at]) / line / "");
        }
    }
    return folders;
}

}  // namespace

Result<void> read_loose_objects(git_repository* repo) {
    auto reader = std::make_unique<LooseReader>();
    reader->folders = folders_of_objects(std::string(git_repository_commondir(repo)) + "objects/");
    git_odb_backend& backend = reader->backend;
    backend.version = GIT_ODB_BACKEND_VERSION;
    backend.read = read;
    backend.read_header = read_header;
    backend.foreach = [](git_odb_backend*, git_odb_foreach_cb, void*) { return 0; };  // libgit2's own reader lists them
    backend.free = [](git_odb_backend* one) { delete reinterpret_cast<LooseReader*>(one); };
    Libgit2Handle<git_odb, git_odb_free> odb;
    if (git_repository_odb(odb.out(), repo) != 0 || git_odb_add_backend(odb.get(), &backend, kPriority) != 0)
        return fail(Code::git, "cannot read the objects of the repository");
    reader.release();  // libgit2's now
    return {};
}

}  // namespace cultivar
