#include "train/data/documents.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

#include "pool/util/sha256.h"

namespace cultivar {
namespace {

constexpr std::string_view kWhiteSpace = " \t\n";

struct Ordered {
    std::array<std::uint64_t, 4> digest;  // SHA-256; compares like its hexadecimal form
    std::string_view document;
};

std::array<std::uint64_t, 4> digest_of(std::string_view document) {
    const std::string hex = sha256_hex(document);
    std::array<std::uint64_t, 4> digest{};
    for (std::size_t part = 0; part < digest.size(); ++part) {
        const char* digits = hex.data() + 16 * part;
        std::from_chars(digits, digits + 16, digest[part], 16);
    }
    return digest;
}

std::string_view trimmed(std::string_view text) {
    const std::size_t first = text.find_first_not_of(kWhiteSpace);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(kWhiteSpace) + 1 - first);
}

// Returns the length of a blank line (white space and line feed) at `at`, which follows a line feed; 0 if the line is
// not blank.
std::size_t blank_line(std::string_view text, std::size_t at) {
    const std::size_t end = text.find_first_not_of(" \t", at + 1);
    return end != std::string_view::npos && text[end] == '\n' ? end - at : 0;
}

// Takes the first document off the text, untrimmed.
std::string_view take_document(std::string_view& text, std::string_view separator) {
    std::size_t end = separator.empty() ? text.find('\n') : text.find(separator);
    std::size_t skip = separator.size();
    if (separator.empty()) {
        while (end != std::string_view::npos && (skip = blank_line(text, end)) == 0) end = text.find('\n', end + 1);
    }
    const std::string_view document = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + skip);
    return document;
}

}  // namespace

Documents cut_documents(const std::vector<std::string>& texts, std::string_view separator) {
    std::vector<Ordered> found;
    for (std::string_view text : texts) {
        while (!text.empty()) {
            const std::string_view document = trimmed(take_document(text, separator));
            if (!document.empty()) found.push_back({digest_of(document), document});
        }
    }
    std::sort(found.begin(), found.end(), [](const Ordered& a, const Ordered& b) { return a.digest < b.digest; });
    const auto end = std::unique(found.begin(), found.end(),
                                 [](const Ordered& a, const Ordered& b) { return a.digest == b.digest; });
    Documents documents;
    documents.duplicates = found.end() - end;
    for (auto at = found.begin(); at != end; ++at) documents.ordered.push_back(at->document);
    return documents;
}

Result<Parts> part_documents(const std::vector<std::string_view>& ordered, std::int64_t slice_bytes,
                             std::int64_t full_bytes) {
    const auto count_until = [&](std::int64_t wanted_bytes) {
        std::int64_t bytes = 0;
        std::size_t count = 0;
        while (count < ordered.size() && bytes < wanted_bytes)
            bytes += static_cast<std::int64_t>(ordered[count++].size());
        return count;
    };
    std::int64_t total_bytes = 0;
    for (std::string_view document : ordered) total_bytes += static_cast<std::int64_t>(document.size());
    Parts parts{count_until(slice_bytes), count_until(full_bytes)};
    std::int64_t training_bytes = total_bytes;
    for (std::size_t at = 0; at < parts.full; ++at) training_bytes -= static_cast<std::int64_t>(ordered[at].size());
    if (slice_bytes < 1 || slice_bytes > full_bytes) {
        return fail(Code::usage, fmt::format("a validation slice of {} bytes does not fit a full set of {}",
                                             slice_bytes, full_bytes));
    }
    if (training_bytes < full_bytes) {
        return fail(Code::usage, fmt::format("the text has {} bytes, too few to train on beside {} for validation",
                                             total_bytes, full_bytes));
    }
    return parts;
}

}  // namespace cultivar
