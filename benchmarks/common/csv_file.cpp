#include "benchmarks/common/csv_file.h"

#include <zlib.h>

#include <charconv>
#include <cmath>
#include <filesystem>
#include <memory>

#include <fmt/format.h>

namespace cultivar {
namespace {

Result<std::string> text_of(const std::string& path) {
    const std::unique_ptr<gzFile_s, int (*)(gzFile)> file(gzopen(path.c_str(), "rb"), &gzclose);
    if (!file) return fail(Code::io, fmt::format("cannot read '{}'", path));
    std::string text;
    char block[1 << 16];
    int count = 0;
    while ((count = gzread(file.get(), block, sizeof block)) > 0) text.append(block, static_cast<std::size_t>(count));
    if (count < 0) return fail(Code::corrupt, fmt::format("'{}' is damaged", path));
    return text;
}

std::vector<std::string> split(const std::string& text, char mark) {
    std::vector<std::string> parts;
    std::size_t begin = 0;
    for (std::size_t end = text.find(mark); end != std::string::npos; end = text.find(mark, begin)) {
        parts.push_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    parts.push_back(text.substr(begin));
    return parts;
}

}  // namespace

Result<CsvFile> read_csv(const std::string& path) {
    TRY_ASSIGN(const std::string text, text_of(path));
    CsvFile file;
    for (std::string& line : split(text, '\n')) {
        if (line.ends_with('\r')) line.pop_back();
        if (line.empty()) continue;
        if (file.header.empty()) {
            file.header = split(line, ',');
        } else {
            file.rows.push_back(split(line, ','));
        }
    }
    if (file.header.empty()) return fail(Code::corrupt, fmt::format("'{}' is empty", path));
    return file;
}

std::optional<double> number_of(const std::string& field) {
    double value = 0;
    const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value);
    if (error != std::errc{} || end != field.data() + field.size() || !std::isfinite(value)) return std::nullopt;
    return value;
}

std::string stem_of(const std::string& path) {
    std::string name = std::filesystem::path(path).filename();
    for (const char* ending : {".gz", ".csv"}) {
        if (name.ends_with(ending)) name.resize(name.size() - std::string(ending).size());
    }
    return name;
}

}  // namespace cultivar
