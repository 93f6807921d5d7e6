#include "pool/process/seccomp_filter.h"

#include "pool/process/mode_changes.h"
#include "pool/process/watched_calls.h"

#include <cerrno>
#include <initializer_list>

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>

namespace cultivar {
namespace {

#if defined(__x86_64__)
constexpr unsigned kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr unsigned kArchitecture = AUDIT_ARCH_AARCH64;
#elif defined(__riscv) && __riscv_xlen == 64
constexpr unsigned kArchitecture = AUDIT_ARCH_RISCV64;
#else
constexpr unsigned kArchitecture = 0;
#endif

// Newer than these headers; from 424 on the numbers are the same everywhere.
constexpr int kProcessMadvise = 440, kProcessRelease = 448, kLastKnown = 462;
constexpr unsigned kIoPriorityOfProcess = 1;
constexpr unsigned kForeignNumbers = 0x40000000;  // of x32
constexpr unsigned kNamespaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |
                                 CLONE_NEWPID | CLONE_NEWNET | 0x80 /* CLONE_NEWTIME */;
constexpr unsigned kSocketTypes = 0xf;     // without flags
constexpr unsigned kReports = 0x7fc00000;  // SECCOMP_RET_USER_NOTIF

constexpr unsigned refusal(int error) { return SECCOMP_RET_ERRNO | (static_cast<unsigned>(error) & 0xffff); }

class Writer {
public:
    Writer() {
        add(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch));
        add(BPF_JMP | BPF_JEQ | BPF_K, kArchitecture, 1, 0);
        add(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
        load_number();
        add(BPF_JMP | BPF_JGE | BPF_K, kForeignNumbers, 0, 1);
        add(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
        add(BPF_JMP | BPF_JGT | BPF_K, kLastKnown, 0, 1);
        add(BPF_RET | BPF_K, refusal(ENOSYS));
    }

    void each(std::initializer_list<int> calls, unsigned action) {
        for (int call : calls) {
            add(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(call), 0, 1);
            add(BPF_RET | BPF_K, action);
        }
    }
    void unless_own_network(std::initializer_list<int> calls, unsigned action) {
        for (int call : calls) {
            each({call}, action);
            filter_.own_network.push_back(filter_.code.size() - 1);
        }
    }
    // The call, unless its argument is `value`; `own`: the value is the child's own number.
    void unless_equal(int call, int argument, unsigned value, unsigned action, bool own = false) {
        test(call, low_half(argument), BPF_JEQ, value, false, action);
        if (own) filter_.own_process.push_back(filter_.code.size() - kFromTestToEnd);
    }
    void if_equal(int call, int argument, unsigned value, unsigned action) {
        test(call, low_half(argument), BPF_JEQ, value, true, action);
    }
    void if_any_bit(int call, int argument, unsigned bits, unsigned action) {
        test(call, low_half(argument), BPF_JSET, bits, true, action);
    }
    void unless_bit(int call, int argument, unsigned bit, unsigned action) {
        test(call, low_half(argument), BPF_JSET, bit, false, action);
    }
    // The call, unless the `bits` of its argument are one of the values.
    void only_values(int call, int argument, unsigned bits, std::initializer_list<unsigned> values, unsigned action) {
        const auto count = static_cast<unsigned char>(values.size());
        only(call, static_cast<unsigned char>(count + 4));
        add(BPF_LD | BPF_W | BPF_ABS, low_half(argument));
        add(BPF_ALU | BPF_AND | BPF_K, bits);
        for (unsigned char left = count; unsigned value : values) add(BPF_JMP | BPF_JEQ | BPF_K, value, left--, 0);
        add(BPF_RET | BPF_K, action);
        load_number();
    }
    void if_pointer(int call, int argument, unsigned action) {
        test(call, low_half(argument), BPF_JEQ, 0, false, action);
        test(call, high_half(argument), BPF_JEQ, 0, false, action);
    }
    // A file opened for reading is emptied by this all the same.
    void if_it_empties(int call, int flags, unsigned action) {
        only(call, 6);
        add(BPF_LD | BPF_W | BPF_ABS, low_half(flags));
        add(BPF_JMP | BPF_JSET | BPF_K, O_TRUNC, 0, 3);
        add(BPF_ALU | BPF_AND | BPF_K, O_ACCMODE);
        add(BPF_JMP | BPF_JEQ | BPF_K, O_RDONLY, 0, 1);
        add(BPF_RET | BPF_K, action);
        load_number();
    }

    // Silent refusals are reported too.
    void tell_refusals() {
        for (sock_filter& step : filter_.code) {
            if (step.code == (BPF_RET | BPF_K) && (step.k == refusal(EPERM) || step.k == refusal(EACCES)))
                step.k = kReports;
        }
    }

    SeccompFilter finish() {
        add(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
        return std::move(filter_);
    }

private:
    static unsigned low_half(int argument) {
        return static_cast<unsigned>(offsetof(seccomp_data, args)) + 8 * static_cast<unsigned>(argument);
    }
    static unsigned high_half(int argument) { return low_half(argument) + sizeof(unsigned); }
    void add(int code, unsigned value, unsigned char if_true = 0, unsigned char if_false = 0) {
        filter_.code.push_back({static_cast<unsigned short>(code), if_true, if_false, value});
    }
    void load_number() { add(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)); }
    // The next `count` instructions are for this call alone; the number is loaded at their end.
    void only(int call, unsigned char count) { add(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(call), 0, count); }

    // The call gets this action where the comparison of its argument's half at `offset` comes out so.
    static constexpr std::size_t kFromTestToEnd = 3;
    void test(int call, unsigned offset, int comparison, unsigned value, bool wanted, unsigned action) {
        only(call, 4);
        add(BPF_LD | BPF_W | BPF_ABS, offset);
        add(BPF_JMP | comparison | BPF_K, value, wanted ? 0 : 1, wanted ? 1 : 0);
        add(BPF_RET | BPF_K, action);
        load_number();
    }

    SeccompFilter filter_;
};

void close_network(Writer& to, unsigned tried, bool command) {
    for (unsigned family : {AF_INET, AF_INET6}) to.if_equal(SYS_socket, 0, family, tried);
    if (!command) {
        to.each({SYS_socket, SYS_socketpair, SYS_bind, SYS_connect, SYS_listen, SYS_accept, SYS_accept4},
                refusal(EACCES));
        return;
    }
    // Streams with a name in a network of its own (pool/process/named_sockets.h).
    to.unless_equal(SYS_socket, 0, AF_UNIX, refusal(EACCES));
    to.only_values(SYS_socket, 1, kSocketTypes, {SOCK_STREAM}, refusal(EACCES));
    to.unless_own_network({SYS_socket, SYS_bind, SYS_listen, SYS_accept, SYS_accept4}, refusal(EACCES));
    to.each({SYS_connect}, tried == kReports ? kReports : refusal(EACCES));
}

void close_programs(Writer& to, unsigned tried, int program) {
    if (program < 0) {
        to.each({SYS_execveat}, tried);
    } else {
        to.unless_equal(SYS_execveat, 0, static_cast<unsigned>(program), tried);
        to.unless_equal(SYS_execveat, 4, AT_EMPTY_PATH, tried);
    }
    to.each({SYS_execve}, tried);
    to.unless_bit(SYS_clone, 0, CLONE_THREAD, tried);
#ifdef SYS_fork
    to.each({SYS_fork, SYS_vfork}, tried);
#endif
    for (int call : {SYS_kill, SYS_tgkill, SYS_rt_sigqueueinfo, SYS_rt_tgsigqueueinfo})
        to.unless_equal(call, 0, 0, tried, true);
    to.each({SYS_tkill, SYS_pidfd_send_signal}, refusal(EPERM));
    // A file that is ready sends a signal to its owner: any signal, to any process of this user.
    for (unsigned command : {F_SETOWN, F_SETOWN_EX, F_SETSIG}) to.if_equal(SYS_fcntl, 1, command, refusal(EPERM));
    for (unsigned request : {FIOSETOWN, SIOCSPGRP}) to.if_equal(SYS_ioctl, 1, request, refusal(EPERM));
    // It stays in its group, and dies with its parent.
    to.each({SYS_setpgid, SYS_setsid}, refusal(EPERM));
    to.if_equal(SYS_prctl, 0, PR_SET_PDEATHSIG, refusal(EPERM));
}

// Its processes may join each other, and nobody else: a datagram socket that is one of a pair can send to any address.
void close_addresses(Writer& to) {
    to.unless_equal(SYS_socketpair, 0, AF_UNIX, refusal(EACCES));
    to.only_values(SYS_socketpair, 1, kSocketTypes, {SOCK_STREAM, SOCK_SEQPACKET}, refusal(EACCES));
}

// Its threads share one table of open files, so that its parent sees them all.
void close_file_tables(Writer& to) {
    to.only_values(SYS_clone, 0, CLONE_THREAD | CLONE_FILES, {0, CLONE_FILES, CLONE_THREAD | CLONE_FILES},
                   refusal(EPERM));
}

// Refuses calls that no child needs: other processes, the system, and other ways to closed resources.
void close_system(Writer& to, unsigned tried) {
    to.each({SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev, SYS_pidfd_getfd, SYS_kcmp}, tried);
    to.each({SYS_mount, SYS_umount2, SYS_pivot_root, SYS_chroot, SYS_unshare, SYS_setns, SYS_open_tree, SYS_move_mount,
             SYS_fsopen, SYS_fsconfig, SYS_fsmount, SYS_fspick, SYS_mount_setattr, SYS_swapon, SYS_swapoff},
            tried);
    to.each({SYS_reboot, SYS_init_module, SYS_finit_module, SYS_delete_module, SYS_kexec_load, SYS_bpf, SYS_add_key,
             SYS_request_key, SYS_keyctl, SYS_settimeofday, SYS_clock_settime, SYS_clock_adjtime, SYS_adjtimex,
             SYS_sethostname, SYS_setdomainname, SYS_acct, SYS_quotactl, SYS_syslog, SYS_vhangup},
            tried);
#ifdef SYS_kexec_file_load
    to.each({SYS_kexec_file_load}, tried);
#endif
#ifdef SYS_iopl
    to.each({SYS_iopl, SYS_ioperm}, tried);
#endif
    to.if_any_bit(SYS_clone, 0, kNamespaces, tried);
    to.if_any_bit(SYS_clone, 0, CLONE_PARENT, refusal(EPERM));  // its children are nobody else's to reap
    to.each({SYS_clone3, SYS_openat2, SYS_io_uring_setup, SYS_io_uring_enter, SYS_io_uring_register}, refusal(ENOSYS));
    to.each({SYS_perf_event_open, SYS_userfaultfd, SYS_fanotify_init, SYS_open_by_handle_at, SYS_name_to_handle_at,
             SYS_shmget, SYS_shmat, SYS_shmctl, SYS_semget, SYS_semctl, SYS_semop, SYS_semtimedop, SYS_msgget,
             SYS_msgsnd, SYS_msgrcv, SYS_msgctl, SYS_mq_open, SYS_mq_unlink},
            refusal(EPERM));
    // Its own priority and processors are its own affair; a process or a user that is named is another's.
    const unsigned refused = refusal(EPERM);
    to.unless_equal(SYS_setpriority, 0, PRIO_PROCESS, refused);
    to.unless_equal(SYS_ioprio_set, 0, kIoPriorityOfProcess, refused);
    for (int call : {SYS_setpriority, SYS_ioprio_set}) to.unless_equal(call, 1, 0, refused);
    for (int call : {SYS_sched_setaffinity, SYS_sched_setparam, SYS_sched_setscheduler, SYS_sched_setattr,
                     SYS_migrate_pages, SYS_move_pages})
        to.unless_equal(call, 0, 0, refused);
    to.each({kProcessMadvise, kProcessRelease}, refused);
    to.if_equal(SYS_prctl, 0, PR_SET_DUMPABLE, refused);  // its open files stay visible to its parent
    for (unsigned request : {TIOCSTI, TIOCLINUX}) to.if_equal(SYS_ioctl, 1, request, refusal(EPERM));
}

// Refuses calls that Landlock does not cover, for every file. Programs that copy files pass over a file system that has no
// attributes.
void close_attributes(Writer& to, int landlock) {
    const unsigned refused = refusal(EPERM);
    to.each({SYS_fchmod, SYS_fchmodat, kFchmodat2, SYS_fchown, SYS_fchownat, SYS_utimensat}, refused);
    to.each({SYS_setxattr, SYS_lsetxattr, SYS_fsetxattr, SYS_removexattr, SYS_lremovexattr, SYS_fremovexattr},
            refusal(EOPNOTSUPP));
#ifdef SYS_chmod
    to.each({SYS_chmod, SYS_chown, SYS_lchown, SYS_utime, SYS_utimes, SYS_futimesat}, refused);
#endif
    if (landlock >= 3) return;
    to.each({SYS_truncate}, refused);
    to.if_it_empties(SYS_openat, 2, refused);
#ifdef SYS_open
    to.if_it_empties(SYS_open, 1, refused);
#endif
}

}  // namespace

SeccompFilter seccomp_filter(const SandboxRules& rules, bool reports, int program, int landlock) {
    if (kArchitecture == 0) return {};
    const unsigned tried = reports ? kReports : refusal(EPERM);
    Writer filter;
    if (!rules.network) close_network(filter, tried, rules.command);
    if (rules.command) {
        // Agents and services of the user listen on such sockets.
        if (rules.network) filter.if_equal(SYS_socket, 0, AF_UNIX, refusal(EACCES));
        close_addresses(filter);
        filter.each({SYS_setpgid, SYS_setsid}, refusal(EPERM));
        for (int call : mode_calls()) filter.each({call}, tried);
    }
    if (!rules.programs) close_programs(filter, tried, program);
    close_system(filter, tried);
    close_file_tables(filter);
    // Lowering its own is harmless, raising it or another's is not.
    filter.if_pointer(SYS_prlimit64, 2, refusal(EPERM));
#ifdef SYS_setrlimit
    filter.each({SYS_setrlimit}, refusal(EPERM));
#endif
    // A user's own helpers, which a child with a network may start, keep their files as they like.
    if (!rules.network || rules.command) close_attributes(filter, landlock);
    if (rules.watched && reports) {
        filter.tell_refusals();
        for (int call : watched_calls()) filter.each({call}, kReports);
    }
    return filter.finish();
}

Attempt::Kind attempt_of(const seccomp_data& call) {
    using Kind = Attempt::Kind;
    switch (call.nr) {
        case SYS_socket:
            return call.args[0] == AF_UNIX ? Kind::local_socket : Kind::network;
        case SYS_socketpair:
        case SYS_bind:
        case SYS_connect:
        case SYS_listen:
            return Kind::local_socket;
        case SYS_execve:
        case SYS_execveat:
            return Kind::program;
        case SYS_clone:
#ifdef SYS_fork
        case SYS_fork:
        case SYS_vfork:
#endif
            return Kind::process;
        case SYS_kill:
        case SYS_tkill:
        case SYS_tgkill:
        case SYS_rt_sigqueueinfo:
        case SYS_rt_tgsigqueueinfo:
            return Kind::signal;
        case SYS_ptrace:
        case SYS_process_vm_readv:
        case SYS_process_vm_writev:
        case SYS_pidfd_getfd:
        case SYS_kcmp:
            return Kind::look;
        default:
            return Kind::system;
    }
}

}  // namespace cultivar
