#include "train/energy/system_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <filesystem>

namespace cultivar {

SystemFile read_system_file(const std::string& path) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return {errno == EACCES || errno == EPERM ? SystemFile::State::forbidden : SystemFile::State::missing, ""};
    std::array<char, 256> text{};
    const ssize_t got = ::read(file, text.data(), text.size());
    const bool forbidden = got < 0 && (errno == EACCES || errno == EPERM);
    ::close(file);
    if (got < 0) return {forbidden ? SystemFile::State::forbidden : SystemFile::State::missing, ""};
    const std::string all(text.data(), static_cast<std::size_t>(got));
    return {SystemFile::State::readable, all.substr(0, all.find('\n'))};
}

std::optional<std::uint64_t> system_number(const std::string& path) {
    const SystemFile file = read_system_file(path);
    std::uint64_t number = 0;
    const char* end = file.text.data() + file.text.size();
    const auto [at, error] = std::from_chars(file.text.data(), end, number);
    const bool is_number = file.state == SystemFile::State::readable && error == std::errc() && at == end;
    return is_number ? std::optional(number) : std::nullopt;
}

std::vector<std::string> names_in(const std::string& folder) {
    std::vector<std::string> names;
    std::error_code error;
    for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end; at.increment(error))
        names.push_back(at->path().filename().string());
    std::ranges::sort(names);
    return names;
}

}  // namespace cultivar
