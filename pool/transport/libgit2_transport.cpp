#include <array>
#include <chrono>
#include <filesystem>
#include <new>
#include <utility>

#include <signal.h>
#include <unistd.h>

#include <fmt/format.h>

#include "pool/git/repository.h"
#include "pool/process/communicate.h"
#include "pool/transport/git_messages.h"
#include "pool/transport/libgit2_session.h"
#include "pool/transport/transport.h"

namespace cultivar {
namespace {

// The child answers with fields, each ended by a NUL: "ok" and its results, or "no" and the error: message, hint and
// reason.
using Fields = std::vector<std::string>;

constexpr std::array kReasons = {std::pair(Reason::ref_missing, "ref_missing"),
                                 std::pair(Reason::too_large, "too_large"), std::pair(Reason::transient, "transient")};

Fields fields_of(const Error& error) {
    Fields fields = {error.message, error.hint, ""};
    for (const auto& [reason, name] : kReasons)
        if (error.reason == reason) fields.back() = name;
    return fields;
}

// A child that the remote has taken over may say anything: absent fields stay empty.
Error error_of(const Fields& fields) {
    Error error{Code::git, "", ""};
    if (fields.size() > 1) error.message = fields[1];
    if (fields.size() > 2) error.hint = fields[2];
    for (const auto& [reason, name] : kReasons)
        if (fields.size() > 3 && fields[3] == name) error.reason = reason;
    return error;
}

void say(const Fields& fields) {
    std::string bytes;
    for (const std::string& field : fields) bytes.append(field).push_back('\0');
    for (std::size_t done = 0; done < bytes.size();) {
        const ssize_t sent = ::write(STDOUT_FILENO, bytes.data() + done, bytes.size() - done);
        if (sent <= 0) ::_exit(1);
        done += static_cast<std::size_t>(sent);
    }
}

Fields fields_of(const std::string& bytes) {
    Fields fields;
    for (std::size_t at = 0, end = 0; (end = bytes.find('\0', at)) != std::string::npos; at = end + 1)
        fields.push_back(bytes.substr(at, end - at));
    return fields;
}

// One byte on the error stream, a few times a second, is progress enough.
void beat() {
    static auto last = std::chrono::steady_clock::time_point::min();
    const auto now = std::chrono::steady_clock::now();
    if (now < last + std::chrono::milliseconds(100)) return;
    last = now;
    [[maybe_unused]] const ssize_t sent = ::write(STDERR_FILENO, ".", 1);
}

int answer(std::int64_t memory_bytes, const std::function<Result<Fields>()>& talk) {
    ::signal(SIGPIPE, SIG_IGN);
    try {
        auto fields = talk();
        say({fields ? "ok" : "no"});
        say(fields ? *fields : fields_of(fields.error()));
    } catch (const std::bad_alloc&) {
        say({"no"});
        say(fields_of(out_of_memory(memory_bytes)));
    }
    return 0;
}

std::string short_name(const std::string& ref) {
    for (std::string_view prefix : {"refs/remotes/", "refs/heads/"})
        if (ref.starts_with(prefix)) return ref.substr(prefix.size());
    return ref;
}

class Libgit2Transport : public Transport {
public:
    Libgit2Transport(std::string git_dir, std::function<bool()> stop, const TransportLimits& limits)
        : git_dir_(std::move(git_dir)), stop_(std::move(stop)), limits_(limits) {}

    Result<FetchReport> fetch(const std::string& remote, const std::vector<std::string>& refspecs) override {
        TRY_ASSIGN(Fields come, apart(remote, [&](Libgit2Session& talk) -> Result<Fields> {
                       TRY_ASSIGN(auto refs, talk.fetch(refspecs));
                       Fields fields;
                       for (const FetchedRef& ref : refs) fields.insert(fields.end(), {ref.local, ref.oid});
                       return fields;
                   }));
        TRY_ASSIGN(Repo repo, Repo::discover(git_dir_));
        FetchReport report;
        for (std::size_t i = 0; i + 1 < come.size(); i += 2) TRY(move_forward(repo, come[i], come[i + 1], report));
        return report;
    }

    Result<std::vector<PushStatus>> push(const std::string& remote, const std::vector<PushItem>& items) override {
        TRY_ASSIGN(Fields said, apart(remote, [&](Libgit2Session& talk) -> Result<Fields> {
                       TRY_ASSIGN(auto statuses, talk.push(items));
                       Fields fields;
                       for (const PushStatus& status : statuses)
                           fields.insert(
                               fields.end(),
                               {status.accepted ? status.changed ? "moved" : "there" : "refused", status.reason});
                       return fields;
                   }));
        if (said.size() != 2 * items.size()) return fail(Code::git, fmt::format("cannot reach '{}'", remote));
        std::vector<PushStatus> statuses;
        for (std::size_t i = 0; i < items.size(); ++i) {
            const std::string &state = said[2 * i], &reason = said[2 * i + 1];
            const bool accepted = state != "refused";
            statuses.push_back({items[i].remote, accepted, state == "moved", reason,
                                accepted ? PushRefusal::none : refusal_of(reason)});
        }
        return statuses;
    }

    Result<void> each_ref(const std::string& remote, const RefVisitor& visit) override {
        const OutputTaker take = [&](std::string& out) {
            constexpr std::string_view kGood("ok\0", 3);  // with its NUL; it stays
            if (out.starts_with(kGood)) visit_pairs(out, kGood.size(), visit);
        };
        const auto said = apart(
            remote,
            [](Libgit2Session& talk) -> Result<Fields> {
                TRY_ASSIGN(auto refs, talk.list());
                Fields fields;
                for (const auto& [name, oid] : refs) fields.insert(fields.end(), {name, oid});
                return fields;
            },
            take);
        return said ? Result<void>() : fail(said.error());
    }

private:
    // Takes whole pairs of fields, a ref's name and its object, away from the place `at`.
    static void visit_pairs(std::string& out, std::size_t at, const RefVisitor& visit) {
        const std::size_t begin = at;
        for (;;) {
            const std::size_t middle = out.find('\0', at);
            const std::size_t end = middle == std::string::npos ? middle : out.find('\0', middle + 1);
            if (end == std::string::npos) break;
            visit(std::string_view(out).substr(at, middle - at),
                  std::string_view(out).substr(middle + 1, end - middle - 1));
            at = end + 1;
        }
        out.erase(begin, at - begin);
    }

    // Runs `talk` in a child process.
    Result<Fields> apart(const std::string& remote, const std::function<Result<Fields>(Libgit2Session&)>& talk,
                         const OutputTaker& take = {}) const {
        auto body = [&] {
            return answer(limits_.memory_bytes, [&] {
                Libgit2Session conversation(git_dir_, remote, limits_, beat);
                return talk(conversation);
            });
        };
        TRY_ASSIGN(Sandbox sandbox, Sandbox::prepare(rules_for(remote)));
        TRY_ASSIGN(Child child, Child::copy(body, {limits_.memory_bytes, limits_.fetch_bytes}, &sandbox));
        TRY_ASSIGN(ProcessOutput output, communicate(child, limits_, stop_, "the remote", take));
        Fields fields = fields_of(output.out);
        if (output.exit_code != 0 || fields.empty())
            return fail(Code::git,
                        fmt::format("cannot reach '{}': the process that reads its answers has crashed", remote));
        if (fields[0] != "ok") return fail(error_of(fields));
        fields.erase(fields.begin());
        return fields;
    }

    // The child may read everything, because a user's keys, helpers and certificates may lie anywhere. It may write to
    // this repository, and to a remote that is a plain path, which has no server.
    SandboxRules rules_for(const std::string& remote) const {
        SandboxRules rules;
        rules.programs = rules.network = true;
        rules.read = {"/"};
        rules.write = {git_dir_, "/dev/null"};
        auto repo = Repo::discover(git_dir_);
        auto url = repo ? repo->config(fmt::format("remote.{}.url", remote)) : Result<std::optional<std::string>>();
        std::string path = url && *url ? **url : remote;
        if (path.starts_with("file://")) path = path.substr(7);
        std::error_code ec;
        if (std::filesystem::is_directory(path, ec)) rules.write.push_back(path);
        std::erase(rules.write, "");
        return rules;
    }

    static Result<void> move_forward(Repo& repo, const std::string& name, const Oid& oid, FetchReport& report) {
        TRY_ASSIGN(std::optional<Oid> before, repo.ref(name));
        if (before && *before == oid) return {};
        bool forward = !before;
        if (before) {
            auto descends = repo.descends(oid, *before);
            forward = descends && *descends;
        }
        if (!forward) {
            report.refused.push_back({short_name(name), "non-fast-forward", true});
        } else if (auto moved = repo.set_ref(name, oid, before.value_or("")); !moved) {
            report.refused.push_back({short_name(name), moved.error().message});
        }
        return {};
    }

    std::string git_dir_;
    std::function<bool()> stop_;
    TransportLimits limits_;
};

}  // namespace

std::unique_ptr<Transport> libgit2_transport(const std::string& git_dir, std::function<bool()> stop,
                                             const TransportLimits& limits) {
    return std::make_unique<Libgit2Transport>(git_dir, std::move(stop), limits);
}

}  // namespace cultivar
