#include "pool/transport.h"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <sstream>
#include <thread>

#include <fmt/format.h>

#include "pool/child.h"
#include "pool/file.h"

namespace cultivar {
namespace {

constexpr double kSilence_s = 120;  // a remote that says nothing for so long is given up
constexpr std::size_t kMaxOutputBytes = 64 << 20;
constexpr int kLockTries = 6;
constexpr auto kFirstLockPause = std::chrono::milliseconds(100);  // doubled each time: longer than a lock gets stale

struct Finished {
    int exit_code = 0;
    std::string out, err;
};

// Reads what is there; false at the end of the stream.
bool drain(int fd, std::string& into) {
    char buffer[1 << 14];
    for (;;) {
        ssize_t got = ::read(fd, buffer, sizeof buffer);
        if (got > 0) {
            if (into.size() < kMaxOutputBytes) into.append(buffer, static_cast<std::size_t>(got));
            continue;
        }
        if (got < 0 && errno == EINTR) continue;
        return got < 0;
    }
}

Result<Finished> run_git(const std::vector<std::string>& words, const std::function<bool()>& stop) {
    std::vector<std::string> argv = {"env", "LC_ALL=C", "GIT_TERMINAL_PROMPT=0", "GIT_OPTIONAL_LOCKS=0", "git"};
    argv.insert(argv.end(), words.begin(), words.end());
    TRY_ASSIGN(Child child, Child::start(argv, 0));
    Finished done;
    bool out_open = true, err_open = true;
    auto heard = std::chrono::steady_clock::now();
    while (out_open || err_open) {
        pollfd fds[2] = {{out_open ? child.output() : -1, POLLIN, 0},
                         {err_open ? child.error_output() : -1, POLLIN, 0}};
        int ready = ::poll(fds, 2, 200);
        auto now = std::chrono::steady_clock::now();
        if (ready > 0) heard = now;
        if (out_open && fds[0].revents) out_open = drain(child.output(), done.out);
        if (err_open && fds[1].revents) err_open = drain(child.error_output(), done.err);
        if (ready == 0 && child.has_ended())
            break;  // what it left behind (ssh's master, say) may hold the streams open
        bool silent = std::chrono::duration<double>(now - heard).count() > kSilence_s;
        if (silent || (stop && stop())) {
            child.signal_group(SIGTERM);
            child.reap();
            if (silent) return fail(Code::git, "the remote has said nothing for two minutes");
            return fail(Code::interrupted, "interrupted while talking to the remote");
        }
    }
    while (!child.has_ended()) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    done.exit_code = child.reap().exit_code;
    return done;
}

// The line of git's complaint that tells most: the first "fatal:" or "ssh:" line, else the last one.
std::string complaint(const std::string& err) {
    std::istringstream lines(err);
    std::string best, last;
    for (std::string line; std::getline(lines, line);) {
        if (line.empty()) continue;
        last = line;
        if (line.rfind("fatal: ", 0) == 0 || line.rfind("ssh: ", 0) == 0) best = best.empty() ? line : best;
    }
    std::string text = best.empty() ? last : best;
    if (text.rfind("fatal: ", 0) == 0) text.erase(0, 7);
    return text.empty() ? "git failed" : text;
}

tl::unexpected<Error> unreachable(const std::string& remote, const Finished& done) {
    return fail(Code::git, fmt::format("cannot reach '{}': {}", remote, complaint(done.err)),
                fmt::format("git ls-remote {}", remote));
}

class GitProgram : public Transport {
public:
    GitProgram(std::string git_dir, std::function<bool()> stop)
        : git_dir_(std::move(git_dir)), stop_(std::move(stop)) {}

    // Another process here may be fetching the same refs, or may have been killed over it.
    Result<FetchReport> fetch(const std::string& remote, const std::vector<std::string>& refspecs) override {
        auto pause = kFirstLockPause;
        for (int tries = 1;; ++tries, pause *= 2) {
            bool contended = false;
            TRY_ASSIGN(FetchReport report, fetch_once(remote, refspecs, contended));
            if (!contended || tries == kLockTries || (stop_ && stop_())) return report;
            std::this_thread::sleep_for(pause);
            for (const auto& [ref, why] : report.refused)
                remove_stale_lock(git_dir_ + "/refs/remotes/" + ref + ".lock");
        }
    }

    Result<std::vector<PushStatus>> push(const std::string& remote, const std::vector<PushItem>& items) override {
        std::vector<std::string> words = {"--git-dir=" + git_dir_,   "push", "--porcelain", "--no-verify",
                                          "--recurse-submodules=no", remote};
        for (const PushItem& item : items) words.push_back(item.local + ":" + item.remote);
        TRY_ASSIGN(Finished done, run_git(words, stop_));
        std::vector<PushStatus> statuses;
        for (const PushItem& item : items) statuses.push_back({item.remote, false, false, ""});
        bool any = false;
        std::istringstream lines(done.out);
        for (std::string line; std::getline(lines, line);) any = read_status(line, statuses) || any;
        if (done.exit_code == 0) {
            for (PushStatus& status : statuses) status.accepted = status.reason.empty();
        } else if (!any) {
            return unreachable(remote, done);
        }
        return statuses;
    }

private:
    Result<FetchReport> fetch_once(const std::string& remote, const std::vector<std::string>& refspecs,
                                   bool& contended) {
        std::vector<std::string> words = {"--git-dir=" + git_dir_,
                                          "-c",
                                          "fetch.fsckObjects=true",
                                          "-c",
                                          "transfer.fsckObjects=true",
                                          "-c",
                                          "gc.auto=0",
                                          "-c",
                                          "fetch.output=full",
                                          "fetch",  // not --quiet: that hides which refs were refused
                                          "--no-tags",
                                          "--no-recurse-submodules",
                                          "--no-write-fetch-head",
                                          remote};
        words.insert(words.end(), refspecs.begin(), refspecs.end());
        TRY_ASSIGN(Finished done, run_git(words, stop_));
        FetchReport report;
        std::istringstream lines(done.err);
        for (std::string line; std::getline(lines, line);) {
            // " ! [rejected]        journal/x -> origin/journal/x  (non-fast-forward)"
            std::size_t arrow = line.find(" -> "), open = line.rfind('(');
            if (line.rfind(" ! ", 0) != 0 || arrow == std::string::npos) continue;
            std::string ref = line.substr(arrow + 4, open == std::string::npos ? open : open - arrow - 4);
            while (!ref.empty() && ref.back() == ' ') ref.pop_back();
            report.refused.emplace_back(
                ref, open == std::string::npos ? "rejected" : line.substr(open + 1, line.rfind(')') - open - 1));
        }
        if (done.exit_code != 0 && report.refused.empty()) return unreachable(remote, done);
        auto says = [&](const char* words_of_git) { return done.err.find(words_of_git) != std::string::npos; };
        contended = says("cannot lock ref") && (says("File exists") || says("but expected"));
        return report;
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
            status.changed = line[0] == '*' || line[0] == ' ' || line[0] == '+';
            if (!status.accepted) status.reason = line.substr(tab + 1);
        }
        return true;
    }

    std::string git_dir_;
    std::function<bool()> stop_;
};

}  // namespace

std::unique_ptr<Transport> git_program(const std::string& git_dir, std::function<bool()> stop) {
    return std::make_unique<GitProgram>(git_dir, std::move(stop));
}

Result<std::vector<std::pair<std::string, std::string>>> list_remote(const std::string& url) {
    TRY_ASSIGN(Finished done, run_git({"ls-remote", "--", url}, {}));
    if (done.exit_code != 0) return unreachable(url, done);
    std::vector<std::pair<std::string, std::string>> refs;
    std::istringstream lines(done.out);
    for (std::string line; std::getline(lines, line);) {
        std::size_t tab = line.find('\t');
        if (tab != std::string::npos) refs.emplace_back(line.substr(tab + 1), line.substr(0, tab));
    }
    return refs;
}

}  // namespace cultivar
