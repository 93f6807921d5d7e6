#include "pool/process/sandbox.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <sstream>
#include <utility>

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fmt/format.h>

#include "pool/process/environment.h"
#include "pool/process/executable_file.h"
#include "pool/process/landlock.h"
#include "pool/process/mode_changes.h"
#include "pool/process/named_sockets.h"
#include "pool/process/private_memory.h"
#include "pool/process/seccomp_filter.h"
#include "pool/process/watched_calls.h"

#if defined(CULTIVAR_SANITIZED)
// Nobody can look for leaks in a sandbox, which takes another process, nor change its limits.
extern "C" int __lsan_is_turned_off() { return ::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1; }
extern "C" const char* __asan_default_options() { return "disable_coredump=0"; }
#endif

namespace cultivar {
namespace {

// --- Needs of every program
// --------------------------------------------------------------------------------------------

constexpr std::array kSystem = {"/usr",
                                "/lib",
                                "/lib32",
                                "/lib64",
                                "/bin",
                                "/sbin",
                                "/opt",
                                "/nix/store",
                                "/gnu/store",
                                "/etc/ld.so.cache",
                                "/etc/ld.so.preload",
                                "/etc/alternatives",
                                "/etc/localtime",
                                "/proc/meminfo",
                                "/proc/cpuinfo",
                                "/proc/stat",
                                "/proc/filesystems",
                                "/proc/sys/vm",
                                "/sys/devices/system",
                                "/sys/fs/cgroup",
                                "/sys/kernel/mm",
                                "/dev/zero",
                                "/dev/urandom",
                                "/dev/random"};
constexpr std::array kVariables = {"PATH=",  "HOME=",    "LANG=", "LC_",    "TZ=",       "TERM=", "LD_LIBRARY_PATH=",
                                   "OMP_",   "KMP_",     "GOMP_", "MKL_",   "OPENBLAS_", "CUDA_", "NVIDIA_",
                                   "TORCH_", "PYTORCH_", "ASAN_", "UBSAN_", "CULTIVAR_"};

// Would have its threads pinned one by one, which the filter cannot tell from pinning another process.
constexpr std::array kPinning = {"OMP_PROC_BIND=", "OMP_PLACES=", "GOMP_CPU_AFFINITY=", "KMP_AFFINITY="};

std::vector<std::string> trimmed_environment(const std::vector<std::string>& given) {
    std::vector<std::string> kept = given;
#if defined(CULTIVAR_SANITIZED)
    kept.emplace_back("ASAN_OPTIONS=detect_leaks=0");
#endif
    for (char** at = environ; *at; ++at) {
        const std::string_view variable(*at);
        if (std::any_of(kPinning.begin(), kPinning.end(), [&](const char* name) { return variable.starts_with(name); }))
            continue;
        if (has_name_of(given, variable)) continue;
        if (std::any_of(kVariables.begin(), kVariables.end(),
                        [&](const char* beginning) { return variable.starts_with(beginning); }))
            kept.emplace_back(variable);
    }
    return kept;
}

void allow_folder_list(std::vector<std::string>& paths, const char* list) {
    std::istringstream folders(list ? list : "");
    for (std::string folder; std::getline(folders, folder, ':');) {
        if (!folder.empty()) paths.push_back(folder);
    }
}

// Programs of a user's own, such as those of a version manager, need more than their own file.
std::function<bool(const std::string&)> reach_of(const SandboxRules& rules) {
    std::vector<std::string> folders = rules.read;
    folders.insert(folders.end(), kSystem.begin(), kSystem.end());
    return [folders = std::move(folders)](const std::string& path) { return lies_in(path, folders); };
}

// Without folders that are closed: an interpreter looks there for itself, and would start a file that it cannot read.
std::string open_part_of_path(const std::function<bool(const std::string&)>& reachable) {
    const char* path = std::getenv("PATH");
    std::istringstream folders(path ? path : "/usr/bin:/bin");
    std::string open;
    for (std::string folder; std::getline(folders, folder, ':');) {
        if (!folder.empty() && reachable(folder)) open += (open.empty() ? "" : ":") + folder;
    }
    return open;
}

void allow_system(SandboxRules& rules, const ExecutableFile& program) {
    rules.read.insert(rules.read.end(), kSystem.begin(), kSystem.end());
    // A pool's program would name any folder as one of its libraries.
    if (!rules.command) {
        rules.read.insert(rules.read.end(), program.library_paths.begin(), program.library_paths.end());
        allow_folder_list(rules.read, std::getenv("LD_LIBRARY_PATH"));
    }
    if (program.script && !rules.command) {  // it may start the worker that belongs to this program
        std::error_code ec;
        const auto here = std::filesystem::read_symlink("/proc/self/exe", ec).parent_path();
        rules.read.push_back(here / "cultivar-lm");
        rules.read.push_back(here / "../libexec/cultivar");
    }
    rules.read.push_back(program.path);
    rules.write.emplace_back("/dev/null");
}

// --- In the child: only async-signal-safe calls
// ---------------------------------------------------------------------------

constexpr int kProgramDescriptor = 1000;
constexpr int kMaxInterruptions = 100;
constexpr int kPartForSharing = 4;  // of the machine's memory
constexpr int kMostReports = 64;    // at once

// Keeps the capabilities that override permissions of files: Landlock bounds them, and without them root could not read
// files in a user's folder.
void drop_capabilities() {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, 2> sets{};
    if (::syscall(SYS_capget, &header, sets.data()) != 0) return;
    constexpr unsigned kKept = 1U << CAP_DAC_OVERRIDE | 1U << CAP_DAC_READ_SEARCH;
    for (std::size_t i = 0; i < sets.size(); ++i) {
        const unsigned kept = i == 0 ? kKept : 0;
        sets[i].effective &= kept;
        sets[i].permitted &= kept;
        sets[i].inheritable = 0;
    }
    ::syscall(SYS_capset, &header, sets.data());
}

// Asks the kernel to end this process first when memory runs out.
void volunteer() {
    const int file = ::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (file < 0) return;
    [[maybe_unused]] const ssize_t told = ::write(file, "500", 3);
    ::close(file);
}

int take_limits(int descriptors) {
    const auto limit = [](__rlimit_resource resource, rlim_t most) {
        const struct rlimit both { most, most };
        return ::setrlimit(resource, &both) == 0 ? 0 : errno;
    };
    if (const int reason = limit(RLIMIT_CORE, 0)) return reason;
    return descriptors > 0 ? limit(RLIMIT_NOFILE, static_cast<rlim_t>(descriptors)) : 0;
}

long install(SeccompFilter& filter, unsigned flags) {
    sock_fprog program{static_cast<unsigned short>(filter.code.size()), filter.code.data()};
    return ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

}  // namespace

struct Sandbox::Impl {
    SandboxRules rules;
    KernelParts parts;
    int ruleset = -1;
    std::uint64_t handled = 0;
    SeccompFilter reporting, refusing;
    int program = -1;           // open here
    int program_in_child = -1;  // its number there
    std::string script;         // the program, if that is one
    std::vector<std::string> environment;
    std::vector<char*> environment_words;
    std::optional<PrivateMemory> memory;

    Impl() = default;
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;
    ~Impl() {
        for (int descriptor : {ruleset, program}) {
            if (descriptor >= 0) ::close(descriptor);
        }
    }

    Result<void> build() {
        parts.landlock = std::min(parts.landlock, kernel_parts().landlock);
        if (parts.landlock > 0) {
            TRY_ASSIGN(ruleset, landlock::make_ruleset(rules, parts.landlock, handled));
        }
        if (!parts.seccomp) return {};
        refusing = seccomp_filter(rules, false, program_in_child, parts.landlock);
        if (parts.reports) reporting = seccomp_filter(rules, true, program_in_child, parts.landlock);
        return {};
    }

    int close_files(bool has_memory) const {
        if (ruleset < 0) return 0;
        if (has_memory) {
            if (const int reason = landlock::allow(ruleset, handled, kSharedMemory,
                                                   landlock::kRead | landlock::kMake | landlock::kChange))
                return reason;
        }
        if (const int reason = landlock::allow(ruleset, handled, "/proc/self", landlock::kRead)) return reason;
        return ::syscall(SYS_landlock_restrict_self, ruleset, 0) == 0 ? 0 : errno;
    }

    int close_calls(bool own_network, int& listener) {
        const auto self = static_cast<unsigned>(::getpid());
        for (SeccompFilter* filter : {&reporting, &refusing}) {
            for (std::size_t at : filter->own_process) filter->code[at].k = self;
            for (std::size_t at : filter->own_network) {
                if (own_network) filter->code[at].k = SECCOMP_RET_ALLOW;
            }
        }
        long done = -1;
        if (!reporting.code.empty()) done = install(reporting, SECCOMP_FILTER_FLAG_NEW_LISTENER);
        if (done >= 0) listener = static_cast<int>(done);
        // Another sandbox around this one may want the reports for itself.
        if (done < 0 && !refusing.code.empty()) done = install(refusing, 0);
        return done >= 0 || refusing.code.empty() ? 0 : errno;
    }
};

Sandbox::Sandbox(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Sandbox::Sandbox(Sandbox&&) noexcept = default;
Sandbox& Sandbox::operator=(Sandbox&&) noexcept = default;
Sandbox::~Sandbox() = default;

Result<Sandbox> Sandbox::prepare(const SandboxRules& rules, const KernelParts& parts) {
    auto impl = std::make_unique<Impl>();
    impl->rules = rules;
    impl->parts = parts;
    TRY(impl->build());
    return Sandbox(std::move(impl));
}

Result<Sandbox> Sandbox::for_program(SandboxRules rules, const std::string& program, const KernelParts& parts) {
    if (rules.command && !has_name_of(rules.variables, "PATH="))
        rules.variables.push_back("PATH=" + open_part_of_path(reach_of(rules)));
    TRY_ASSIGN(ExecutableFile file,
               rules.command ? read_executable_file(program, reach_of(rules)) : read_executable_file(program));
    auto impl = std::make_unique<Impl>();
    allow_system(rules, file);
    rules.programs = rules.programs || file.script;
    if (rules.programs) {
        impl->script = file.path;
    } else {
        struct rlimit descriptors {};
        ::getrlimit(RLIMIT_NOFILE, &descriptors);
        impl->program_in_child = static_cast<int>(std::min<rlim_t>(kProgramDescriptor, descriptors.rlim_cur - 1));
        impl->program = ::open(file.path.c_str(), O_PATH | O_CLOEXEC);
        if (impl->program < 0)
            return fail(Code::io, fmt::format("cannot start '{}': {}", program, std::strerror(errno)));
    }
    impl->environment = trimmed_environment(rules.variables);
    for (std::string& variable : impl->environment) impl->environment_words.push_back(variable.data());
    impl->environment_words.push_back(nullptr);
    if (rules.command) impl->memory.emplace(machine_memory_bytes() / kPartForSharing);
    impl->rules = std::move(rules);
    impl->parts = parts;
    TRY(impl->build());
    return Sandbox(std::move(impl));
}

int Sandbox::enter(int& listener) const {
    listener = -1;
    volunteer();
    if (impl_->program >= 0 && ::dup3(impl_->program, impl_->program_in_child, O_CLOEXEC) < 0) return errno;
    const bool has_memory = impl_->memory && impl_->memory->enter();
    const bool own_network = has_memory && !impl_->rules.network && enter_own_network();
    drop_capabilities();
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return errno;
    if (const int reason = take_limits(impl_->program_in_child)) return reason;
    if (const int reason = impl_->close_files(has_memory)) return reason;
    return impl_->close_calls(own_network, listener);
}

int Sandbox::become(char* const* argv) const {
    char* const* environment = impl_->environment_words.data();
    if (impl_->program >= 0)
        ::syscall(SYS_execveat, impl_->program_in_child, "", argv, environment, AT_EMPTY_PATH);
    else
        ::execve(impl_->script.c_str(), argv, environment);
    return errno;
}

bool Sandbox::has_program() const { return !impl_->environment_words.empty(); }

namespace {

bool waits_still(int listener, __u64 report) { return ::ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &report) == 0; }

bool read_report(int listener, seccomp_notif& report) {
    pollfd stream{listener, POLLIN, 0};
    if (listener < 0 || ::poll(&stream, 1, 0) != 1 || !(stream.revents & POLLIN)) return false;
    union {
        seccomp_notif report;
        std::array<char, 4096> room;  // later kernels may add fields
    } in{.room = {}};
    for (int tries = 0; ::ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &in.report) != 0; ++tries) {
        if (errno != EINTR || tries > kMaxInterruptions) return false;
    }
    report = in.report;
    return true;
}

// `error`: 0 where the call was made for the child; none: the kernel makes it, and its own rules apply.
void answer_report(int listener, const seccomp_notif& report, std::optional<int> error) {
    union {
        seccomp_notif_resp answer;
        std::array<char, 4096> room;
    } out{.room = {}};
    out.answer.id = report.id;
    if (error)
        out.answer.error = -*error;
    else
        out.answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
    ::ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &out.answer);
}

// Decides about one report, and gives the sentence to be told of it.
std::optional<Attempt> settle_report(int listener, const seccomp_notif& report, const SandboxRules& rules) {
    if (is_mode_call(report.data.nr)) {
        static const std::vector<std::string> kNowhere;
        const auto& folders = rules.command ? rules.write : kNowhere;
        answer_report(listener, report, change_mode(report, folders, waits_still, listener));
        return std::nullopt;
    }
    if (rules.command && report.data.nr == SYS_connect) {
        const int reason = connect_within(report, rules.write, waits_still, listener);
        answer_report(listener, report, reason);
        const bool is_told = rules.watched && reason == EACCES;
        return is_told ? std::optional(Attempt{Attempt::Kind::local_socket, "", 0}) : std::nullopt;
    }
    if (rules.watched && is_watched_call(report.data.nr)) {
        auto refused = refused_file(rules, report);
        answer_report(listener, report, std::nullopt);
        return refused;
    }
    answer_report(listener, report, EPERM);
    const Attempt::Kind kind = attempt_of(report.data);
    return Attempt{kind, "", kind == Attempt::Kind::system ? report.data.nr : 0};
}

}  // namespace

KernelParts kernel_parts() {
    KernelParts parts;
    const long version = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
    parts.landlock = static_cast<int>(std::max(version, 0L));
    const auto has = [](unsigned action) { return ::syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0; };
    parts.seccomp = has(SECCOMP_RET_KILL_PROCESS) && !seccomp_filter({}, false, -1, parts.landlock).code.empty();
    parts.reports = parts.seccomp && has(SECCOMP_RET_USER_NOTIF);
    return parts;
}

std::vector<std::string> sandbox_gaps(const KernelParts& parts, bool command) {
    std::vector<std::string> gaps;
    if (command && parts.landlock < landlock::kWithScopes)
        gaps.emplace_back(
            "this kernel cannot bound signals (Landlock 6): a pool's command could end your other processes");
    if (parts.landlock == 0)
        gaps.emplace_back(
            "no Landlock in this kernel: a trainer that a foreign configuration has taken over could read "
            "and change your files");
    if (!parts.seccomp)
        gaps.emplace_back(parts.landlock >= landlock::kWithTcp
                              ? "no seccomp filters in this kernel: a trainer that a foreign configuration has taken "
                                "over could start programs"
                              : "no seccomp filters in this kernel: a trainer that a foreign configuration has taken "
                                "over could start programs and reach the network");
    if (parts.seccomp && !parts.reports)
        gaps.emplace_back("this kernel does not report calls that a sandbox refuses: attempts fail unnoticed");
    return gaps;
}

std::string sandbox_text(const KernelParts& parts) {
    const std::string files = parts.landlock > 0 ? fmt::format("Landlock {}", parts.landlock) : "no Landlock";
    return files + (parts.seccomp ? ", seccomp" : ", no seccomp") +
           (parts.seccomp && !parts.reports ? " without reports" : "");
}

const SandboxRules& Sandbox::rules() const { return impl_->rules; }

void wake_together(int listener) {
    constexpr unsigned long kSetFlags = _IOW('!', 4, __u64);  // SECCOMP_IOCTL_NOTIF_SET_FLAGS; Linux 6.6
    constexpr unsigned long kSyncWakeUp = 1;
    ::ioctl(listener, kSetFlags, kSyncWakeUp);
}

std::optional<Attempt> take_reports(int listener, const SandboxRules& rules) {
    seccomp_notif report{};
    for (int answered = 0; answered < kMostReports && read_report(listener, report); ++answered) {
        if (auto told = settle_report(listener, report, rules)) return told;
    }
    return std::nullopt;
}

std::int64_t machine_memory_bytes() {
    const std::int64_t machine = std::int64_t{::sysconf(_SC_PHYS_PAGES)} * ::sysconf(_SC_PAGESIZE);
    std::ifstream group("/sys/fs/cgroup/memory.max");
    std::int64_t most = 0;
    return group >> most && most > 0 ? std::min(machine, most) : machine;
}

}  // namespace cultivar
