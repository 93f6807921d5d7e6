#include "pool/process/executable_file.h"

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

#include <elf.h>
#include <unistd.h>

#include <fmt/format.h>

namespace cultivar {
namespace {

constexpr std::uint64_t kMaxTable_bytes = 64 << 20;

struct Found {
    std::string path;  // "": there is none
    bool reachable = true;
};

Found found(const std::string& program, const std::function<bool(const std::string&)>& reachable) {
    if (program.find('/') != std::string::npos) return {program};
    const char* path = std::getenv("PATH");
    std::istringstream folders(path ? path : "/usr/bin:/bin");
    Found first;
    for (std::string folder; std::getline(folders, folder, ':');) {
        const std::string candidate = (folder.empty() ? "." : folder) + "/" + program;
        if (::access(candidate.c_str(), X_OK) != 0) continue;
        if (!reachable || reachable(candidate)) return {candidate};
        if (first.path.empty()) first = {candidate, false};
    }
    return first;
}

template <typename T>
std::optional<T> read_at(std::ifstream& file, std::uint64_t at) {
    T value;
    file.seekg(static_cast<std::streamoff>(at));
    if (!file.read(reinterpret_cast<char*>(&value), sizeof value)) return std::nullopt;
    return value;
}

// Reads an ELF file of this machine's kind. A truncated file yields its readable part.
class Elf {
public:
    Elf(std::ifstream& file, const std::string& path) : file_(file), path_(path) {}

    std::vector<std::string> library_paths() {
        const auto header = read_at<Elf64_Ehdr>(file_, 0);
        if (!header || header->e_ident[EI_CLASS] != ELFCLASS64) return {};
        std::optional<Elf64_Phdr> dynamic;
        for (unsigned i = 0; i < header->e_phnum; ++i) {
            const auto segment = read_at<Elf64_Phdr>(file_, header->e_phoff + i * sizeof(Elf64_Phdr));
            if (!segment) return {};
            if (segment->p_type == PT_LOAD) loads_.push_back(*segment);
            if (segment->p_type == PT_DYNAMIC) dynamic = segment;
        }
        return dynamic ? read_dynamic(*dynamic) : std::vector<std::string>();
    }

private:
    std::vector<std::string> read_dynamic(const Elf64_Phdr& dynamic) {
        std::uint64_t names = 0, names_bytes = 0;
        std::vector<std::uint64_t> wanted;
        for (std::uint64_t at = 0; at + sizeof(Elf64_Dyn) <= dynamic.p_filesz; at += sizeof(Elf64_Dyn)) {
            const auto entry = read_at<Elf64_Dyn>(file_, dynamic.p_offset + at);
            if (!entry || entry->d_tag == DT_NULL) break;
            if (entry->d_tag == DT_STRTAB) names = offset_of(entry->d_un.d_ptr);
            if (entry->d_tag == DT_STRSZ) names_bytes = entry->d_un.d_val;
            if (entry->d_tag == DT_RPATH || entry->d_tag == DT_RUNPATH) wanted.push_back(entry->d_un.d_val);
        }
        if (names_bytes > kMaxTable_bytes) return {};
        std::string table(names_bytes, '\0');
        file_.seekg(static_cast<std::streamoff>(names));
        if (!file_.read(table.data(), static_cast<std::streamsize>(names_bytes))) return {};
        std::vector<std::string> folders;
        for (std::uint64_t at : wanted) {
            if (at < table.size()) add(folders, table.c_str() + at);
        }
        return folders;
    }

    void add(std::vector<std::string>& folders, const std::string& list) const {
        const std::string origin = std::filesystem::path(path_).parent_path().string();
        std::istringstream parts(list);
        for (std::string part; std::getline(parts, part, ':');) {
            for (const char* word : {"$ORIGIN", "${ORIGIN}"}) {
                if (part.starts_with(word)) part = (origin.empty() ? "." : origin) + part.substr(std::strlen(word));
            }
            if (!part.empty()) folders.push_back(part);
        }
    }

    std::uint64_t offset_of(std::uint64_t address) const {
        for (const Elf64_Phdr& load : loads_) {
            if (address >= load.p_vaddr && address - load.p_vaddr < load.p_filesz)
                return load.p_offset + (address - load.p_vaddr);
        }
        return 0;
    }

    std::ifstream& file_;
    const std::string& path_;
    std::vector<Elf64_Phdr> loads_;
};

}  // namespace

Result<ExecutableFile> read_executable_file(const std::string& program,
                                            const std::function<bool(const std::string&)>& reachable) {
    ExecutableFile read;
    const Found at = found(program, reachable);
    read.path = at.path;
    std::error_code ec;
    if (read.path.empty() || !std::filesystem::exists(read.path, ec))
        return fail(Code::not_found, fmt::format("cannot start '{}': No such file or directory", program));
    std::ifstream file(read.path, std::ios::binary);
    char begin[SELFMAG] = {};
    if (!file.read(begin, 2)) return fail(Code::io, fmt::format("cannot read '{}'", read.path));
    read.script = std::memcmp(begin, "#!", 2) == 0;
    if (read.script && !at.reachable)
        return fail(
            Code::not_found,
            fmt::format("cannot start '{}': '{}' is not in the sandbox, and none of the system's folders has it",
                        program, read.path),
            "man cultivar-trust");
    if (read.script || !file.read(begin + 2, 2) || std::memcmp(begin, ELFMAG, SELFMAG) != 0) return read;
    read.library_paths = Elf(file, read.path).library_paths();
    return read;
}

}  // namespace cultivar
