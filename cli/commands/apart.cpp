#include "cli/commands/apart.h"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <new>

#include <fmt/format.h>

#include "pool/process/child_process.h"
#include "pool/util/file.h"

namespace cultivar {
namespace {

constexpr int kPoll_ms = 50;
constexpr std::size_t kMostWords_bytes = 64 << 20;

Json error_json(const Error& error) {
    return {{"error", {{"code", static_cast<int>(error.code)}, {"message", error.message}, {"hint", error.hint}}}};
}

// In the copy: its answer goes to standard output, and each step of its progress to standard error.
int answer(const ApartWork& work) {
    const ApartProgress progress = [](const std::string& phase, double fraction) {
        write_all(STDERR_FILENO, fmt::format("{:.4f} {}\n", fraction, phase));
    };
    Json json;
    try {
        auto done = work(progress);
        json = done ? Json{{"done", *done}} : error_json(done.error());
    } catch (const std::bad_alloc&) {
        json = error_json({Code::io, "it takes more memory than this machine has", ""});
    } catch (const std::exception& error) {
        json = error_json({Code::io, error.what(), ""});
    }
    write_all(STDOUT_FILENO, json.dump(-1, ' ', true, Json::error_handler_t::replace));
    return 0;
}

class Listening {
public:
    Listening(Context& context, Child& child) : context_(context), child_(child) {}

    Result<std::string> to_the_end() {
        while (open_) {
            if (context_.interrupted()) return fail(Code::interrupted, "interrupted; nothing was changed");
            std::array<pollfd, 2> pipes{{{child_.output(), POLLIN, 0}, {child_.error_output(), POLLIN, 0}}};
            ::poll(pipes.data(), pipes.size(), kPoll_ms);
            take(child_.error_output(), progress_);
            show();
            open_ = take(child_.output(), answer_) && answer_.size() <= kMostWords_bytes;
        }
        return std::move(answer_);
    }

private:
    // False at the end of the stream.
    static bool take(int from, std::string& into) {
        std::array<char, 1 << 14> buffer{};
        for (;;) {
            const ssize_t got = ::read(from, buffer.data(), buffer.size());
            if (got < 0 && errno == EINTR) continue;
            if (got <= 0) return got < 0;
            into.append(buffer.data(), static_cast<std::size_t>(got));
        }
    }

    // The last whole line counts.
    void show() {
        const std::size_t end = progress_.rfind('\n');
        if (end == std::string::npos) return;
        const std::string_view lines = std::string_view(progress_).substr(0, end);
        const std::string line(lines.substr(lines.rfind('\n') + 1));
        progress_.erase(0, end + 1);
        const std::size_t space = line.find(' ');
        if (space == std::string::npos) return;
        context_.ui.progress(
            fmt::format("{} {:.0f} %", clean(line.substr(space + 1)), 100 * std::strtod(line.c_str(), nullptr)));
    }

    Context& context_;
    Child& child_;
    std::string answer_, progress_;
    bool open_ = true;
};

}  // namespace

Result<Json> run_apart(Context& context, const ApartWork& work) {
    ChildLimits limits;
    limits.memory_bytes = machine_memory_bytes();
    TRY_ASSIGN(Child child, Child::copy([&] { return answer(work); }, limits));
    auto heard = Listening(context, child).to_the_end();
    context.ui.clear_progress();
    const Child::End end = child.reap();
    if (!heard) return fail(heard.error());
    const Json json = Json::parse(*heard, nullptr, false);
    if (json.is_object() && json.contains("done")) return json["done"];
    if (json.is_object() && json.contains("error")) {
        const Json& error = json["error"];
        return fail(static_cast<Code>(error.value("code", static_cast<int>(Code::io))),
                    error.value("message", std::string()), error.value("hint", std::string()));
    }
    return fail(Code::io, end.signal != 0 ? fmt::format("the work was ended by signal {}", end.signal)
                                          : "the work ended without a word");
}

}  // namespace cultivar
