#include "pool/clone/first_seen.h"

#include <algorithm>
#include <filesystem>
#include <sstream>

#include <fmt/format.h>

#include "pool/util/secret_random.h"

namespace cultivar {
namespace {

constexpr std::size_t kMostBytes = 256 << 20;
constexpr std::size_t kSecretDigits = 32;

std::string first_seen_path(const Clone& clone) { return clone.seen_dir() + "first"; }

}  // namespace

Result<std::string> order_secret(const Clone& clone) {
    const std::string path = clone.seen_dir() + "order";
    auto known = read_file(path, kSecretDigits);
    if (known && known->size() == kSecretDigits) return known;
    if (!known && known.error().code != Code::not_found) return known;
    std::string secret = SecretRandom().hex_digits(kSecretDigits);
    std::error_code ec;
    std::filesystem::create_directories(clone.seen_dir(), ec);
    [[maybe_unused]] const auto kept = write_file_atomically(path, secret, 0600);
    return secret;
}

Result<FirstSeen> FirstSeen::read(const Clone& clone) {
    FirstSeen book;
    auto text = read_file(first_seen_path(clone), kMostBytes);
    if (!text && text.error().code == Code::not_found) return book;
    if (!text) return fail(text.error());
    std::istringstream lines(*text);
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        Entry entry;
        std::string ref;
        if (words >> entry.at_s >> entry.records >> ref) book.note(ref, entry.records, entry.at_s);
    }
    return book;
}

Result<void> FirstSeen::write(const Clone& clone) const {
    std::string text;
    for (const auto& [ref, entries] : by_ref_) {
        for (const Entry& entry : entries) text += fmt::format("{} {} {}\n", entry.at_s, entry.records, ref);
    }
    return write_file_atomically(first_seen_path(clone), text);
}

std::int64_t FirstSeen::seen_s(const std::string& ref, std::size_t place, std::int64_t now_s) const {
    const auto found = by_ref_.find(ref);
    if (found == by_ref_.end()) return now_s;
    const auto entry = std::ranges::upper_bound(found->second, place, {}, &Entry::records);
    return entry == found->second.end() ? now_s : std::min(entry->at_s, now_s);
}

std::int64_t FirstSeen::last_pull_s() const {
    std::int64_t last_s = 0;
    for (const auto& [ref, entries] : by_ref_) {
        if (ref.starts_with("refs/remotes/") && !entries.empty()) last_s = std::max(last_s, entries.back().at_s);
    }
    return last_s;
}

void FirstSeen::note(const std::string& ref, std::size_t records, std::int64_t now_s) {
    std::vector<Entry>& entries = by_ref_[ref];
    if (records == 0 || (!entries.empty() && entries.back().records >= records)) return;
    if (!entries.empty()) now_s = std::max(now_s, entries.back().at_s);
    entries.push_back({records, now_s});
    ++entries_;
    if (entries.size() > kMostEntries) entries_ -= thin(entries);
    if (entries_ > thin_at_) thin_longest();
}

void FirstSeen::thin_longest() {
    constexpr std::size_t kRoom = kMostInAll / 16;
    while (entries_ > kMostInAll - kRoom) {
        std::size_t longest = 0;
        for (const auto& [ref, entries] : by_ref_) longest = std::max(longest, entries.size());
        if (longest < 2) break;
        for (auto& [ref, entries] : by_ref_) {
            if (entries.size() > longest / 2) entries_ -= thin(entries);
        }
    }
    thin_at_ = std::max(kMostInAll, entries_ + kRoom);
}

// Forgets up to a quarter of the entries, no two beside each other, and returns their number.
std::size_t FirstSeen::thin(std::vector<Entry>& entries) {
    const std::int64_t now_s = entries.back().at_s;
    const auto gap = [&](std::size_t i) {
        return static_cast<double>(entries[i + 1].at_s - entries[i].at_s) /
               static_cast<double>(now_s - entries[i].at_s + 1);
    };
    std::vector<std::pair<double, std::size_t>> gaps;
    for (std::size_t i = 0; i + 1 < entries.size(); ++i) gaps.emplace_back(gap(i), i);
    std::ranges::sort(gaps);
    std::vector<bool> gone(entries.size() + 1);  // one more, so that each has a next one
    std::size_t number = 0;
    for (const auto& [size, i] : gaps) {
        if (number >= (entries.size() + 3) / 4) break;
        if (gone[i + 1] || (i > 0 && gone[i - 1])) continue;
        gone[i] = true;
        ++number;
    }
    std::size_t at = 0;
    std::erase_if(entries, [&](const Entry&) { return gone[at++]; });
    return number;
}

}  // namespace cultivar
