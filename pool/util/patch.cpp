#include "pool/util/patch.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "pool/util/text.h"

namespace cultivar {
namespace {

constexpr std::size_t kShown_bytes = 80, kMostCompared = 10'000'000, kMostLine = 100'000'000;
constexpr std::string_view kNoFile = "/dev/null";

std::string_view without_feed(std::string_view line) {
    return line.ends_with('\n') ? line.substr(0, line.size() - 1) : line;
}

std::vector<std::string> lines_of(std::string_view text) {
    std::vector<std::string> lines;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
        lines.emplace_back(text.substr(0, end));
        text.remove_prefix(end);
    }
    return lines;
}

// Takes "12,3" off the front: the count is 1 where it is left out.
bool take_range(std::string_view& text, std::size_t& first, std::size_t& count) {
    const auto take = [&](std::size_t& number) {
        const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), number);
        text.remove_prefix(static_cast<std::size_t>(end - text.data()));
        return wrong == std::errc() && number <= kMostLine;
    };
    count = 1;
    if (!take(first)) return false;
    if (!text.starts_with(',')) return true;
    text.remove_prefix(1);
    return take(count);
}

bool take_word(std::string_view& text, std::string_view word) {
    if (!text.starts_with(word)) return false;
    text.remove_prefix(word.size());
    return true;
}

class PatchReader {
public:
    PatchReader(std::string_view text, const std::string& where) : lines_(lines_of(text)), where_(where) {}

    Result<std::vector<FilePatch>> read() {
        std::vector<FilePatch> files;
        while (at_ < lines_.size()) {
            const std::string_view line = without_feed(lines_[at_]);
            TRY(refuse_other_changes(line));
            if (line.starts_with("@@ ")) return wrong("a hunk without a file");
            if (!line.starts_with("--- ") || at_ + 1 == lines_.size() || !lines_[at_ + 1].starts_with("+++ ")) {
                ++at_;
                continue;
            }
            TRY_ASSIGN(FilePatch file, read_file_patch());
            if (files.size() == kMaxPatchedFiles) return wrong("too many files");
            if (std::ranges::find(files, file.path, &FilePatch::path) != files.end())
                return wrong(fmt::format("'{}' comes a second time", clean(file.path)));
            files.push_back(std::move(file));
        }
        if (files.empty()) return fail(Code::usage, fmt::format("{}: it holds no unified diff", where_));
        return files;
    }

private:
    tl::unexpected<Error> wrong(const std::string& what) const {
        return fail(Code::usage, fmt::format("{}:{}: {}", where_, at_ + 1, what));
    }

    Result<void> refuse_other_changes(std::string_view line) const {
        constexpr std::pair<std::string_view, const char*> kOthers[] = {
            {"old mode ", "a patch changes no mode"},     {"new mode ", "a patch changes no mode"},
            {"deleted file ", "a patch deletes no file"}, {"rename from ", "a patch renames no file"},
            {"copy from ", "a patch copies no file"},     {"GIT binary patch", "a patch is text alone"},
            {"Binary files ", "a patch is text alone"}};
        for (const auto& [word, why] : kOthers) {
            if (line.starts_with(word)) return wrong(why);
        }
        if (line.starts_with("new file mode ") && line != "new file mode 100644")
            return wrong("a new file has mode 100644");
        return {};
    }

    // "--- a/PATH" and "+++ b/PATH"; a tab ends the path.
    Result<FilePatch> read_file_patch() {
        const auto name = [&](std::string_view side) {
            std::string_view text = without_feed(lines_[at_]).substr(4);
            text = text.substr(0, text.find('\t'));
            if (text.ends_with('\r')) text.remove_suffix(1);
            if (text != kNoFile) take_word(text, side);
            return std::string(text);
        };
        const std::string before = name("a/");
        ++at_;
        const std::string after = name("b/");
        if (after == kNoFile) return wrong("a patch deletes no file");
        if (before != kNoFile && before != after) return wrong("a patch renames no file");
        ++at_;
        FilePatch file{after, before == kNoFile, {}};
        while (at_ < lines_.size() && lines_[at_].starts_with("@@ ")) {
            TRY_ASSIGN(Hunk hunk, read_hunk());
            if (file.creates && !hunk.before.empty()) return wrong("a new file has no lines before");
            file.hunks.push_back(std::move(hunk));
        }
        if (file.hunks.empty()) return wrong(fmt::format("'{}' has no hunk", clean(after)));
        return file;
    }

    Result<Hunk> read_hunk() {
        std::string_view head = without_feed(lines_[at_]);
        Hunk hunk;
        hunk.line = at_ + 1;
        std::size_t before = 0, new_first = 0, after = 0;
        if (!take_word(head, "@@ -") || !take_range(head, hunk.first, before) || !take_word(head, " +") ||
            !take_range(head, new_first, after) || !take_word(head, " @@"))
            return wrong("it is no header of a hunk: @@ -LINE,COUNT +LINE,COUNT @@");
        if (before > 0 && hunk.first == 0) return wrong("lines count from 1");
        ++at_;
        while (hunk.before.size() < before || hunk.after.size() < after) {
            if (at_ == lines_.size()) return wrong("the hunk ends before all of its lines came");
            TRY(take_line(hunk));
        }
        if (hunk.before.size() > before || hunk.after.size() > after)
            return wrong("the hunk has other numbers of lines than its header says");
        if (at_ < lines_.size() && lines_[at_].starts_with('\\')) TRY(take_line(hunk));
        return hunk;
    }

    Result<void> take_line(Hunk& hunk) {
        const std::string& line = lines_[at_];
        const std::string rest = line == "\n" ? line : line.substr(1);
        switch (line.front()) {
            case '\n':  // some editors take the blank of an empty line away
            case ' ':
                hunk.before.push_back(rest), hunk.after.push_back(rest), last_ = ' ';
                break;
            case '-':
                hunk.before.push_back(rest), last_ = '-';
                break;
            case '+':
                hunk.after.push_back(rest), last_ = '+';
                break;
            case '\\':
                TRY(take_feed_away(hunk));
                break;
            default:
                return wrong("a line of a hunk begins with ' ', '-', '+' or '\\'");
        }
        ++at_;
        return {};
    }

    // "\ No newline at end of file": of the line before.
    Result<void> take_feed_away(Hunk& hunk) const {
        for (auto [lines, mark] : {std::pair(&hunk.before, '-'), {&hunk.after, '+'}}) {
            if (last_ != ' ' && last_ != mark) continue;
            if (lines->empty() || !lines->back().ends_with('\n')) return wrong("no line comes before this one");
            lines->back().pop_back();
        }
        return {};
    }

    std::vector<std::string> lines_;
    const std::string& where_;
    std::size_t at_ = 0;
    char last_ = ' ';
};

std::string quoted_line(const std::vector<std::string>& lines, std::size_t at) {
    if (at >= lines.size()) return "nothing";
    return "'" + clean(without_feed(lines[at]), kShown_bytes) + "'";
}

// Where the lines are instead, by number from 1: the place nearest to the one that was named.
std::optional<std::size_t> nearest_place(const std::vector<std::string>& lines, const std::vector<std::string>& wanted,
                                         std::size_t place) {
    if (wanted.empty() || wanted.size() > lines.size() || lines.size() * wanted.size() > kMostCompared)
        return std::nullopt;
    std::optional<std::size_t> best;
    for (std::size_t at = 0; at + wanted.size() <= lines.size(); ++at) {
        if (!std::equal(wanted.begin(), wanted.end(), lines.begin() + static_cast<std::ptrdiff_t>(at))) continue;
        const auto distance = [&](std::size_t from) { return from > place ? from - place : place - from; };
        if (!best || distance(at) < distance(*best)) best = at;
    }
    return best ? std::optional(*best + 1) : std::nullopt;
}

tl::unexpected<Error> does_not_fit(const std::string& path, const Hunk& hunk, const std::vector<std::string>& lines,
                                   std::size_t place, std::size_t differs) {
    std::string text =
        fmt::format("{}:{}: the hunk at line {} of the patch wants {}, the file has {}", path, place + differs + 1,
                    hunk.line, quoted_line(hunk.before, differs), quoted_line(lines, place + differs));
    if (const auto whole = nearest_place(lines, hunk.before, place))
        text += fmt::format("; its lines stand at line {}", *whole);
    else if (const auto one = nearest_place(lines, {hunk.before[differs]}, place + differs))
        text += fmt::format("; that line is line {}", *one);
    return fail(Code::unfit, std::move(text));
}

}  // namespace

Result<std::vector<FilePatch>> parse_patch(std::string_view text, const std::string& where) {
    if (text.size() > kMaxPatch_bytes)
        return fail(Code::usage, fmt::format("{}: it is over {} MiB", where, kMaxPatch_bytes >> 20));
    return PatchReader(text, where).read();
}

Result<std::string> apply_patch(const FilePatch& patch, std::string_view before) {
    const std::vector<std::string> lines = lines_of(before);
    std::string text;
    std::size_t done = 0;
    for (const Hunk& hunk : patch.hunks) {
        const std::size_t place = hunk.before.empty() ? hunk.first : hunk.first - 1;
        if (place < done || (hunk.before.empty() && place > lines.size()))
            return fail(Code::unfit, fmt::format("{}:{}: the hunk at line {} of the patch has no place there",
                                                 patch.path, hunk.first, hunk.line));
        for (std::size_t i = 0; i < hunk.before.size(); ++i) {
            if (place + i >= lines.size() || lines[place + i] != hunk.before[i])
                return does_not_fit(patch.path, hunk, lines, place, i);
        }
        for (; done < place; ++done) text += lines[done];
        for (const std::string& line : hunk.after) text += line;
        done = place + hunk.before.size();
    }
    for (; done < lines.size(); ++done) text += lines[done];
    return text;
}

}  // namespace cultivar
