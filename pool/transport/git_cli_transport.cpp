#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstdlib>
#include <sstream>
#include <thread>

#include <fmt/format.h>
#include <signal.h>

#include "pool/process/communicate.h"
#include "pool/transport/connectivity.h"
#include "pool/transport/git_messages.h"
#include "pool/transport/transport.h"
#include "pool/util/file.h"
#include "pool/util/text.h"

namespace cultivar {
namespace {

constexpr std::size_t kMostRefspecsAsWords = 100;  // more come by standard input, which git reads since 2.29
constexpr int kLockTries = 6;
constexpr auto kFirstLockPause = std::chrono::milliseconds(100);  // doubled each time: longer than a lock gets stale

// Lines as a terminal would leave them: of a progress line that overwrites itself, the last state.
std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) {
        while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
        line.erase(0, line.rfind('\r') + 1);
        if (!line.empty()) lines.push_back(line);
    }
    return lines;
}

bool tells_why(std::string line) {
    std::transform(line.begin(), line.end(), line.begin(), [](unsigned char c) { return std::tolower(c); });
    for (const char* word : {"denied", "ssh: ", "failed", "refused", "reset", "closed by", "fatal: "})
        if (line.find(word) != std::string::npos) return true;
    return false;
}

// The line of git's complaint that tells most: the first "fatal:", unless that only says that another program has said
// why, else the last.
std::string complaint(const ProcessOutput& output) {
    if (output.signal != 0) return fmt::format("git was ended by signal {}", output.signal);
    const std::vector<std::string> lines = lines_of(output.err);
    if (lines.empty()) return "git failed";
    auto fatal = std::find_if(lines.begin(), lines.end(), [](const auto& line) { return line.starts_with("fatal: "); });
    auto best = fatal == lines.end() ? lines.end() - 1 : fatal;
    const bool elsewhere = best->find("Could not read from remote repository") != std::string::npos ||
                           best->find("hung up unexpectedly") != std::string::npos;
    if (elsewhere) {
        auto why = std::find_if(lines.begin(), best, tells_why);
        if (why != best) best = why;
    }
    return best->starts_with("fatal: ") ? best->substr(7) : *best;
}

// A limit on its processes may keep git from reporting the cause itself.
bool wrote_too_much(const ProcessOutput& output) {
    return output.signal == SIGXFSZ ||
           output.err.find(fmt::format("died of signal {}", SIGXFSZ)) != std::string::npos ||
           output.err.find("File too large") != std::string::npos;
}

tl::unexpected<Error> unreachable(const std::string& remote, const ProcessOutput& output) {
    const std::string why = complaint(output);
    if (why.find("(stored in ") != std::string::npos && why.find("corrupt") != std::string::npos)
        return fail(Code::git, fmt::format("this clone is damaged: {}", why), "git fsck");
    return fail(Code::git, fmt::format("cannot reach '{}': {}", remote, why),
                fmt::format("git ls-remote {}", shell_word(remote)), reason_of(why));
}

class GitCliTransport : public Transport {
public:
    GitCliTransport(std::string git_dir, std::function<bool()> stop, const TransportLimits& limits)
        : git_dir_(std::move(git_dir)), stop_(std::move(stop)), limits_(limits) {}

    // Another process here may be fetching the same refs, or may have been killed over it.
    Result<FetchReport> fetch(const std::string& remote, const std::vector<std::string>& refspecs) override {
        auto pause = kFirstLockPause;
        for (int tries = 1;; ++tries, pause *= 2) {
            bool contended = false;
            TRY_ASSIGN(FetchReport report, fetch_once(remote, refspecs, contended));
            if (!contended || tries == kLockTries || (stop_ && stop_())) return report;
            std::this_thread::sleep_for(pause);
            for (const RefusedRef& one : report.refused)
                remove_stale_lock(git_dir_ + "/refs/remotes/" + one.ref + ".lock");
        }
    }

    Result<FetchReport> fetch_once(const std::string& remote, const std::vector<std::string>& refspecs,
                                   bool& contended) {
        const bool many = refspecs.size() > kMostRefspecsAsWords;
        const std::string input = many ? fmt::format("{}\n", fmt::join(refspecs, "\n")) : "";
        TRY_ASSIGN(ProcessOutput done, run(fetch_words(remote, refspecs, true, many), input));
        // One malformed object must not block all the rest. Nothing is ever checked out, and pool/lineage and
        // pool/storage/segment_log refuse the ref that holds it by its name.
        if (done.exit_code != 0 && done.err.find("fsck error") != std::string::npos) {
            TRY_ASSIGN(done, run(fetch_words(remote, refspecs, false, many), input));
        }
        if (done.err.find("shallow roots are not allowed to be updated") != std::string::npos)
            return shallow_remote(remote);
        FetchReport report;
        for (const std::string& line : lines_of(done.err)) {
            // " ! [rejected]        journal/x -> origin/journal/x  (non-fast-forward)"
            std::size_t arrow = line.find(" -> "), open = line.rfind('(');
            if (!line.starts_with(" ! ") || arrow == std::string::npos) continue;
            std::string ref = line.substr(arrow + 4, open == std::string::npos ? open : open - arrow - 4);
            while (!ref.empty() && ref.back() == ' ') ref.pop_back();
            const std::string why =
                open == std::string::npos ? "rejected" : line.substr(open + 1, line.rfind(')') - open - 1);
            report.refused.push_back({ref, why, is_rewound(why)});
        }
        if (done.exit_code != 0 && report.refused.empty()) return unreachable(remote, done);
        auto says = [&](const char* words_of_git) { return done.err.find(words_of_git) != std::string::npos; };
        contended = says("cannot lock ref") && (says("File exists") || says("but expected"));
        return report;
    }

    Result<std::vector<PushStatus>> push(const std::string& remote, const std::vector<PushItem>& items) override {
        std::vector<std::string> words = {"push", "--porcelain", "--progress", "--no-verify", "--recurse-submodules=no",
                                          "--",  // a remote is no option, however it begins
                                          remote};
        for (const PushItem& item : items) words.push_back(item.local + ":" + item.remote);
        TRY_ASSIGN(ProcessOutput done, run(words));
        std::vector<PushStatus> statuses;
        for (const PushItem& item : items)
            statuses.push_back({item.remote, false, false, "no status", PushRefusal::transient});
        bool any = false;
        std::istringstream lines(done.out);
        for (std::string line; std::getline(lines, line);) any = read_status(line, statuses) || any;
        if (!any) return unreachable(remote, done);
        return statuses;
    }

    Result<void> each_ref(const std::string& remote, const RefVisitor& visit) override {
        const OutputTaker take = [&](std::string& out) { visit_lines(out, visit); };
        TRY_ASSIGN(ProcessOutput done, run({"ls-remote", "--", remote}, "", take));
        if (done.exit_code != 0) return unreachable(remote, done);
        return {};
    }

private:
    // Takes whole lines, "<object>\t<name>", away.
    static void visit_lines(std::string& out, const RefVisitor& visit) {
        std::size_t at = 0;
        for (std::size_t end = 0; (end = out.find('\n', at)) != std::string::npos; at = end + 1) {
            const std::string_view line(out.data() + at, end - at);
            const std::size_t tab = line.find('\t');
            if (tab != std::string_view::npos) visit(line.substr(tab + 1), line.substr(0, tab));
        }
        out.erase(0, at);
    }

    // `input`: lines for its standard input. `take`: as communicate() has it.
    Result<ProcessOutput> run(const std::vector<std::string>& words, const std::string& input = "",
                              const OutputTaker& take = {}) const {
        std::vector<std::string> argv = {"env", "LC_ALL=C", "GIT_TERMINAL_PROMPT=0", "GIT_OPTIONAL_LOCKS=0"};
        if (!std::getenv("SSH_ASKPASS"))  // else ssh asks on the terminal, and waits
            argv.insert(argv.end(), {"SSH_ASKPASS=false", "SSH_ASKPASS_REQUIRE=force"});
        argv.insert(argv.end(), {"git", "-c", "pack.threads=2"});  // each takes memory of its own
        if (!git_dir_.empty()) argv.push_back("--git-dir=" + git_dir_);
        argv.insert(argv.end(), words.begin(), words.end());
        ChildPlace place;
        place.input = input;
        TRY_ASSIGN(Child child, Child::start(argv, 0, {limits_.memory_bytes, limits_.fetch_bytes}, nullptr, place));
        TRY_ASSIGN(ProcessOutput output, communicate(child, limits_, stop_, "the remote", take));
        if (output.exit_code != 0 && wrote_too_much(output))
            return fail(Code::git,
                        fmt::format("stopped talking to the remote: it sent more than {} bytes", limits_.fetch_bytes),
                        "", Reason::too_large);
        if (output.exit_code != 0 && tells_out_of_memory(output.err)) return fail(out_of_memory(limits_.memory_bytes));
        return output;
    }

    static std::vector<std::string> fetch_words(const std::string& remote, const std::vector<std::string>& refspecs,
                                                bool checked, bool from_input) {
        // Not --quiet: that hides which refs were refused. --progress: silence is to mean that nothing moves.
        std::vector<std::string> words = {"-c",
                                          checked ? "fetch.fsckObjects=true" : "fetch.fsckObjects=false",
                                          "-c",
                                          "gc.auto=0",
                                          "-c",
                                          "maintenance.auto=false",
                                          "-c",
                                          "fetch.output=full",
                                          "fetch",
                                          "--progress",
                                          "--no-tags",
                                          "--no-recurse-submodules",
                                          "--no-write-fetch-head"};
        if (from_input) words.emplace_back("--stdin");
        words.insert(words.end(), {"--", remote});
        if (!from_input) words.insert(words.end(), refspecs.begin(), refspecs.end());
        return words;
    }

    // "<flag>\t<from>:<to>\t<summary> (<reason>)"
    static bool read_status(const std::string& line, std::vector<PushStatus>& statuses) {
        if (line.size() < 3 || line[1] != '\t') return false;
        std::size_t tab = line.find('\t', 2), colon = line.find(':', 2);
        if (tab == std::string::npos || colon == std::string::npos || colon > tab) return false;
        std::string to = line.substr(colon + 1, tab - colon - 1);
        for (PushStatus& status : statuses) {
            if (status.remote != to) continue;
            status.accepted = line[0] != '!';
            status.changed = line[0] == '*' || line[0] == ' ' || line[0] == '+' || line[0] == '-';
            status.reason = status.accepted ? "" : line.substr(tab + 1);
            status.refusal = status.accepted ? PushRefusal::none : refusal_of(status.reason);
        }
        return true;
    }

    std::string git_dir_;
    std::function<bool()> stop_;
    TransportLimits limits_;
};

}  // namespace

std::unique_ptr<Transport> git_cli_transport(const std::string& git_dir, std::function<bool()> stop,
                                             const TransportLimits& limits) {
    return std::make_unique<GitCliTransport>(git_dir, std::move(stop), limits);
}

}  // namespace cultivar
