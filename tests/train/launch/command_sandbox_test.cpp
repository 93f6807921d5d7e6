// A pool's command in its sandbox: ordinary programs work there, and nothing outside is reached.
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pool/util/file.h"
#include "tests/eval/support/temp_folder.h"
#include "train/launch/confinement.h"

namespace cultivar {
namespace {

using How = Outcome::How;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

class CommandSandboxTest : public testing::Test {
protected:
    CommandSandboxTest() {
        for (const char* name : {"work", "files", "home"}) std::filesystem::create_directory(folder_.file(name));
        folder_.write("home/id_ed25519", "secret");
        command_.format = 2;
        command_.score = {FigureRule::Kind::metric_line, FigureRule::Take::only, "score", "", false};
        options_.spec_path = folder_.write("spec.json", "{}");
        options_.log_path = folder_.file("log");
        options_.hang_s = options_.wall_limit_s = 120;
        options_.grace_s = 5;
    }

    Outcome run(const std::string& script) {
        folder_.write("files/run.sh", script);
        return start({"/bin/sh", folder_.file("files/run.sh")});
    }
    Outcome run_python(const std::string& script) {
        folder_.write("files/x.py", script);
        return run("exec /usr/bin/python3 '" + folder_.file("files/x.py") + "'");
    }
    Outcome start(std::vector<std::string> words) {
        const auto outcome = launch(std::move(words));
        EXPECT_TRUE(outcome) << (outcome ? "" : outcome.error().message);
        return outcome ? *outcome : Outcome{};
    }
    Result<Outcome> launch(std::vector<std::string> words) {
        options_.command = std::move(words);
        Specification specification;
        specification.work_dir = options_.place.folder = folder_.file("work");
        confine_command(options_, specification, {folder_.file("files"), options_.spec_path});
        if (command_.network) allow_network(*options_.sandbox);
        options_.sandbox->watched = watched_;
        if (folder_limit_bytes_ > 0) options_.work_dir_bytes = folder_limit_bytes_;
        if (memory_limit_bytes_ > 0) options_.limits.memory_bytes = memory_limit_bytes_;
        auto figures = FigureReader::make(command_);
        options_.figures = &*figures;
        return run_trainer(
            options_, clock_, [](const Event&) { return Advice::go_on; }, [] { return false; });
    }
    // The script's standard output before its score.
    std::string said(const std::string& script) {
        const Outcome outcome = run(script + "\necho METRIC score=1\n");
        EXPECT_EQ(outcome.how, How::done) << outcome.message << "\n" << outcome.errors;
        return outcome.output;
    }
    std::string key() const { return folder_.file("home/id_ed25519"); }

    TempFolder folder_;
    SystemClock clock_;
    PoolCommand command_;
    LaunchOptions options_;
    bool watched_ = false;
    std::int64_t folder_limit_bytes_ = 0, memory_limit_bytes_ = 0;  // 0: as confine_command() sets them
};

TEST_F(CommandSandboxTest, HasAHomeAndAPlaceForTemporaryFilesOfItsOwn) {
    const std::string work = std::filesystem::canonical(folder_.file("work")).string();
    EXPECT_THAT(
        said("pwd; echo $HOME; echo $TMPDIR; mktemp; echo x >file && cat file"),
        HasSubstr(work + "\n" + folder_.file("work") + "\n" + folder_.file("work") + "\n" + folder_.file("work")));
}

TEST_F(CommandSandboxTest, ReadsAndWritesNoFileElsewhere) {
    folder_.write("files/data", "fine\n");
    const std::string said_of_it =
        said("cat '" + key() + "' || echo closed\n" + "echo x >>'" + key() + "' || echo closed\n" + "rm '" + key() +
             "' || echo closed\n" + "ls '" + folder_.file("home") + "' || echo closed\n" + "cat '" +
             folder_.file("files/data") + "'\n" + "echo x >>'" + folder_.file("files/data") + "' || echo closed\n" +
             "cat /etc/shadow || echo closed\n" + "cat /proc/1/status || echo closed");
    EXPECT_EQ(said_of_it, "closed\nclosed\nclosed\nclosed\nfine\nclosed\nclosed\nclosed\nMETRIC score=1\n");
    EXPECT_EQ(*read_file(key(), 100), "secret");
}

// A program names the folders of its libraries itself.
TEST_F(CommandSandboxTest, ReadsNoFolderThatItsProgramNamesForLibraries) {
    folder_.write("a.c",
                  "#include <stdio.h>\nint main(int n, char** a) { FILE* f = n > 1 ? fopen(a[1], \"r\") : 0; "
                  "puts(f ? \"open\" : \"closed\"); puts(\"METRIC score=1\"); return 0; }\n");
    const std::string program = folder_.file("files/program");
    ASSERT_EQ(::system(("gcc -Wl,-rpath,/ -o '" + program + "' '" + folder_.file("a.c") + "'").c_str()), 0);
    ::setenv("LD_LIBRARY_PATH", folder_.file("home").c_str(), 1);
    const Outcome outcome = start({program, key()});
    ::unsetenv("LD_LIBRARY_PATH");
    EXPECT_EQ(outcome.output, "closed\nMETRIC score=1\n") << outcome.message;
}

TEST_F(CommandSandboxTest, ReachesNoAgentAndNoProcessOfItsUserWithTheNetworkEither) {
    command_.network = true;
    folder_.write("files/x.py",
                  "import os, socket\n"
                  "try: socket.socket(socket.AF_UNIX); print('socket')\n"
                  "except PermissionError: print('closed')\n"
                  "try: os.kill(" +
                      std::to_string(::getpid()) +
                      ", 0); print('signal')\n"
                      "except PermissionError: print('closed')\n"
                      "socket.socket(socket.AF_INET); print('METRIC score=1')\n");
    EXPECT_EQ(run("exec python3 '" + folder_.file("files/x.py") + "'").output,
              kernel_parts().landlock >= 6 ? "closed\nclosed\nMETRIC score=1\n" : "closed\nsignal\nMETRIC score=1\n");
}

TEST_F(CommandSandboxTest, KeepsTokensAndAgentsFromIt) {
    ::setenv("SOME_TOKEN", "secret", 1);
    options_.place.variables = {"RUN_SEED=7"};
    EXPECT_EQ(said("echo \"<$SOME_TOKEN>\" $RUN_SEED"), "<> 7\nMETRIC score=1\n");
}

TEST_F(CommandSandboxTest, ReachesTheNetworkOnlyIfTheTaskSaysSo) {
    const std::string connects =
        "bash -c 'exec 3<>/dev/tcp/127.0.0.1/9' 2>&1 | grep -o 'not permitted\\|refused'; true";
    EXPECT_THAT(said(connects), HasSubstr("not permitted"));
    command_.network = true;
    EXPECT_THAT(said(connects), HasSubstr("refused"));  // by no listener there
}

TEST_F(CommandSandboxTest, NamesWhatItWasRefusedAndGoesOn) {
    const Outcome outcome = run("bash -c 'exec 3<>/dev/tcp/127.0.0.1/9'; echo METRIC score=1");
    EXPECT_EQ(outcome.how, How::done);
    EXPECT_THAT(outcome.refused, Contains(Attempt{Attempt::Kind::network, ""}));
}

// A user's question after a failure: which file was it?
TEST_F(CommandSandboxTest, TellsAllThatIsRefusedWhenItIsWatched) {
    if (!kernel_parts().reports || kernel_parts().landlock == 0) GTEST_SKIP() << "this kernel lacks a part";
    const std::string tool = folder_.write("home/tool", "#!/bin/sh\necho tool\n");
    ::chmod(tool.c_str(), 0755);
    folder_.write("files/data", "fine\n");
    watched_ = true;
    const Outcome outcome = run("cat '" + key() + "'; cat absent ../absent files/data >own; mkdir a && mv own a/own\n" +
                                "echo x 2>/dev/null >../home/new; '" + tool + "'; echo METRIC score=1\n");
    using Kind = Attempt::Kind;
    EXPECT_EQ(outcome.how, How::done) << outcome.message;
    EXPECT_THAT(outcome.refused, testing::IsSupersetOf({Attempt{Kind::read, key()}, Attempt{Kind::start, tool},
                                                        Attempt{Kind::write, folder_.file("home/new")}}));
    for (const Attempt& one : outcome.refused) {
        EXPECT_THAT(one.path, Not(HasSubstr("/work"))) << text_of(one);
        EXPECT_THAT(one.path, Not(HasSubstr("/files"))) << text_of(one);
        EXPECT_THAT(one.path, Not(HasSubstr("absent"))) << text_of(one);
    }
}

// A version manager puts scripts for the programs that it manages before the system's.
TEST_F(CommandSandboxTest, TakesProgramsThatTheSandboxHolds) {
    std::filesystem::create_directory(folder_.file("home/shims"));
    for (const char* name : {"home/shims/echo", "home/shims/only-here"})
        ::chmod(folder_.write(name, "#!/bin/sh\ncat '" + key() + "'\n").c_str(), 0755);
    const std::string path = std::getenv("PATH");
    ::setenv("PATH", (folder_.file("home/shims:") + path).c_str(), 1);
    const Outcome outcome = start({"echo", "METRIC score=1"});
    const auto absent = launch({"only-here"});
    const Outcome within = start({"sh", "-c", "echo \"$PATH\"; echo METRIC score=1"});
    ::setenv("PATH", path.c_str(), 1);
    EXPECT_EQ(outcome.how, How::done) << outcome.message;
    ASSERT_FALSE(absent);
    EXPECT_EQ(absent.error().code, Code::not_found);
    EXPECT_THAT(absent.error().message, HasSubstr("is not in the sandbox"));
    EXPECT_THAT(within.output, testing::AllOf(HasSubstr("/usr/bin"), Not(HasSubstr("shims"))));
}

TEST_F(CommandSandboxTest, ChangesModesAndTimesOfItsOwnFilesAlone) {
    EXPECT_EQ(said("echo 'echo hi' >tool && chmod 755 tool && ./tool && touch -d 2001-02-03 tool && date -r tool +%Y"),
              "hi\n2001\nMETRIC score=1\n");
    const auto mode = [](const std::string& path) {
        struct stat facts {};
        ::stat(path.c_str(), &facts);
        return facts.st_mode & 07777;
    };
    ::chmod(key().c_str(), 0600);
    EXPECT_EQ(said("chmod 777 '" + key() + "' || echo closed\n" +                               //
                   "chmod 777 ../home/id_ed25519 || echo closed\n" +                            //
                   "ln -s '" + key() + "' link; chmod 777 link 2>/dev/null || echo closed\n" +  //
                   "touch -d 2001-02-03 '" + key() + "' 2>/dev/null || echo closed\n" +
                   "touch own && chmod 4755 own && stat -c %a own"),
              "closed\nclosed\nclosed\nclosed\n755\nMETRIC score=1\n");
    EXPECT_EQ(mode(key()), 0600U);
}

TEST_F(CommandSandboxTest, MakesLinksAndPipesOfItsOwnThatLeadItNowhereElse) {
    EXPECT_EQ(said("echo fine >own && ln -s own link && cat link && ln own hard && cat hard\n" +             //
                   std::string("mkfifo pipe && (cat pipe & echo piped >pipe; wait)\n") +                     //
                   "cp -p own copy && cat copy && mkdir d && ln -s d e && mv copy e/copy && cat d/copy\n" +  //
                   "ln -s '" + key() + "' out; cat out 2>/dev/null || echo closed\n" +                       //
                   "ln -s '" + key() + "' ../home/in 2>/dev/null || echo closed\n" +                         //
                   "python3 -c 'import socket; socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)'" +
                   " 2>/dev/null || echo closed"),
              "fine\nfine\npiped\nfine\nfine\nclosed\nclosed\nclosed\nMETRIC score=1\n");
}

TEST_F(CommandSandboxTest, RunsToolsThatKeepModesTimesAndOwners) {
    EXPECT_EQ(
        said("echo fine >own && chmod 640 own && ln -s own link && mkdir tree && mv own link tree && cp -a tree copy\n"
             "stat -c %a copy/own && readlink copy/link && install -m 755 tree/own tool && stat -c %a tool\n"
             "tar cf tree.tar tree && mkdir out && tar xf tree.tar -C out && cat out/tree/link\n"
             "chown 12345 tool 2>/dev/null || echo closed\n"
             "if command -v git >/dev/null; then git init -q g && cd g && cp ../tool . && git add tool &&\n"
             "    git -c user.name=a -c user.email=a@a commit -q -m x && git log --format=%s; else echo x; fi"),
        "640\nown\n755\nfine\nclosed\nx\nMETRIC score=1\n");
}

TEST_F(CommandSandboxTest, LeavesNoProcessBehind) {
    EXPECT_EQ(said("(trap '' TERM HUP; exec sleep 300) &\n"
                   "setsid sleep 301 2>/dev/null || echo refused"),
              "refused\nMETRIC score=1\n");
    for (const char* seconds : {"300", "301"})
        EXPECT_NE(::system(("pgrep -f '^sleep " + std::string(seconds) + "$' >/dev/null").c_str()), 0) << seconds;
}

TEST_F(CommandSandboxTest, EndsWhereItFillsItsFolder) {
    folder_limit_bytes_ = 1 << 20;
    const Outcome outcome = run("head -c 3000000 /dev/zero >x; exec sleep 60");
    EXPECT_EQ(outcome.how, How::died);
    EXPECT_THAT(outcome.message, HasSubstr("filled its folder"));
}

TEST_F(CommandSandboxTest, CountsTheMemoryOfAllItsProcesses) {
    memory_limit_bytes_ = 256 << 20;  // one of them stays far below
    const std::string hold = "(head -c 50000000 /dev/zero; sleep 60) | tail -c 50000000";
    const Outcome outcome =
        run(hold + " &\n" + hold + " &\n" + hold + " &\n" + hold + " &\n" + hold + " &\n" + hold + " &\nwait");
    EXPECT_THAT(outcome.message, HasSubstr("bytes of memory"));
}

TEST_F(CommandSandboxTest, CountsFilesInMemoryAsMemory) {
    memory_limit_bytes_ = 128 << 20;
    const Outcome outcome = run_python(
        "import os, time\n"
        "file = os.memfd_create('hidden')\n"
        "for i in range(200): os.write(file, bytes(1 << 20))\n"
        "time.sleep(60)\n");
    EXPECT_THAT(outcome.message, HasSubstr("bytes of memory"));
}

bool may_mount() {
    return ::system("unshare -rm sh -c 'mount -t tmpfs tmpfs /dev/shm' 2>/dev/null || unshare -m true 2>/dev/null") ==
           0;
}

// Semaphores and shared memory of POSIX lie in /dev/shm, which is the machine's.
TEST_F(CommandSandboxTest, HasSharedMemoryOfItsOwn) {
    if (!may_mount()) GTEST_SKIP() << "nothing can be mounted here";
    const std::string script =
        "import multiprocessing as m, multiprocessing.shared_memory as s, os\n"
        "def double(x): return 2 * x\n"
        "if __name__ == '__main__':\n"
        "    with m.Pool(2) as pool: print(pool.map(double, [1, 2, 3]))\n"
        "    queue = m.Queue(); worker = m.Process(target=queue.put, args=(7,)); worker.start(); print(queue.get())\n"
        "    worker.join()\n"
        "    block = s.SharedMemory(create=True, size=1000); block.close(); block.unlink()\n"
        "    open('/dev/shm/cultivar-test-mark', 'w').write('x')\n"
        "    print('METRIC score=1')\n";
    const Outcome outcome = run_python(script);
    EXPECT_EQ(outcome.output, "[2, 4, 6]\n7\nMETRIC score=1\n") << outcome.errors;
    EXPECT_FALSE(std::filesystem::exists("/dev/shm/cultivar-test-mark"));
}

TEST_F(CommandSandboxTest, CountsSharedMemoryOfItsOwn) {
    if (!may_mount()) GTEST_SKIP() << "nothing can be mounted here";
    memory_limit_bytes_ = 128 << 20;
    EXPECT_THAT(run("head -c 200000000 /dev/zero >/dev/shm/x; exec sleep 60").message, HasSubstr("bytes of memory"));
}

// A datagram socket of a pair would send to any socket of the user, given its path.
TEST_F(CommandSandboxTest, JoinsItsProcessesByPairsThatReachNobodyElse) {
    const std::string script =
        "import socket\n"
        "for kind in (socket.SOCK_STREAM, socket.SOCK_SEQPACKET, socket.SOCK_DGRAM, socket.SOCK_RAW):\n"
        "    try: socket.socketpair(socket.AF_UNIX, kind); print('pair')\n"
        "    except PermissionError: print('closed')\n"
        "print('METRIC score=1')\n";
    for (const bool network : {false, true}) {
        command_.network = network;
        EXPECT_EQ(run_python(script).output, "pair\npair\nclosed\nclosed\nMETRIC score=1\n") << network;
    }
}

// multiprocessing's way to hand over open files.
TEST_F(CommandSandboxTest, JoinsItsProcessesByNamesInItsFolder) {
    if (!may_mount() || !kernel_parts().reports) GTEST_SKIP() << "nothing can be mounted here";
    const std::string script =
        "import multiprocessing as m, multiprocessing.connection as c, os, socket\n"
        "def ask(address):\n"
        "    with c.Client(address, authkey=b'k') as to: to.send(os.getpid())\n"
        "if __name__ == '__main__':\n"
        "    with c.Listener(family='AF_UNIX', authkey=b'k') as at:\n"
        "        child = m.Process(target=ask, args=(at.address,)); child.start()\n"
        "        print(at.accept().recv() == child.pid); child.join()\n"
        "    server = socket.socket(socket.AF_UNIX); server.bind('near'); server.listen()\n"
        "    one = socket.socket(socket.AF_UNIX); one.setblocking(False); one.connect('near')\n"
        "    two = socket.socket(socket.AF_UNIX); two.connect(os.path.abspath('near'))\n"
        "    print(one.getblocking(), two.getblocking(), two.getpeername(), os.get_inheritable(two.fileno()))\n"
        "    print('METRIC score=1')\n";
    const Outcome outcome = run_python(script);
    EXPECT_EQ(outcome.output, "True\nFalse True near False\nMETRIC score=1\n") << outcome.errors << outcome.message;
}

int listening(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(&address.sun_path[0], sizeof address.sun_path - 1);
    const int made = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT_EQ(::bind(made, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0) << path;
    EXPECT_EQ(::listen(made, 1), 0);
    return made;
}

// An agent of its user, named in each way there is; a socket outside, by a path and without a file.
TEST_F(CommandSandboxTest, ReachesNoSocketElsewhereByName) {
    const int agent = listening(folder_.file("home/agent"));
    const std::string script =
        "import os, socket\n"
        "os.symlink('../home/agent', 'link'); os.symlink('../home', 'folder')\n"
        "try: os.link('../home/agent', 'hard')\n"
        "except OSError: pass\n"
        "for name in ('" +
        folder_.file("home/agent") +
        "', '../home/agent', 'link', 'folder/agent', 'hard', '/proc/self/cwd/../home/agent', '\\0name', ''):\n"
        "    try: socket.socket(socket.AF_UNIX).connect(name); print('open', name)\n"
        "    except OSError: pass\n"
        "for name in ('../home/new', 'folder/new', '/tmp/cultivar-test-socket'):\n"
        "    try: socket.socket(socket.AF_UNIX).bind(name); print('made', name)\n"
        "    except OSError: pass\n"
        "for family, kind in ((socket.AF_UNIX, socket.SOCK_DGRAM), (socket.AF_UNIX, socket.SOCK_SEQPACKET),\n"
        "                     (socket.AF_INET, socket.SOCK_STREAM), (socket.AF_NETLINK, socket.SOCK_RAW)):\n"
        "    try: socket.socket(family, kind); print('socket', family, kind)\n"
        "    except OSError: pass\n"
        "print('METRIC score=1')\n";
    EXPECT_EQ(run_python(script).output, "METRIC score=1\n");
    ::close(agent);
}

// A name without a file belongs to the network: to the command's own.
TEST_F(CommandSandboxTest, HasANetworkOfItsOwn) {
    if (!may_mount()) GTEST_SKIP() << "nothing can be mounted here";
    const std::string here = std::filesystem::read_symlink("/proc/self/ns/net").string();
    EXPECT_THAT(said("readlink /proc/self/ns/net"), testing::AllOf(HasSubstr("net:["), Not(HasSubstr(here))));
}

// Workers of PyTorch's DataLoader hand tensors over as open files.
TEST_F(CommandSandboxTest, RunsTheWorkersOfADataLoader) {
    if (!may_mount() || !kernel_parts().reports) GTEST_SKIP() << "nothing can be mounted here";
    if (::system("/usr/bin/python3 -c 'import torch' 2>/dev/null") != 0) GTEST_SKIP() << "no torch";
    const Outcome outcome = run_python(
        "import torch\n"
        "class Squares(torch.utils.data.Dataset):\n"
        "    def __len__(self): return 8\n"
        "    def __getitem__(self, i): return torch.full((1000,), float(i * i))\n"
        "if __name__ == '__main__':\n"
        "    loader = torch.utils.data.DataLoader(Squares(), batch_size=2, num_workers=2)\n"
        "    print(int(sum(batch[:, 0].sum() for batch in loader)))\n"
        "    print('METRIC score=1')\n");
    EXPECT_EQ(outcome.output, "140\nMETRIC score=1\n") << outcome.message << outcome.errors;
}

TEST_F(CommandSandboxTest, CompilesAndRunsPrograms) {
    folder_.write("files/a.c", "#include <stdio.h>\nint main(void) { puts(\"compiled\"); }\n");
    folder_.write("files/b.cpp", "#include <iostream>\nint main() { std::cout << \"too\" << std::endl; }\n");
    const std::string files = "'" + folder_.file("files") + "'";
    EXPECT_EQ(said("gcc -O2 -o a " + files + "/a.c && ./a && g++ -O0 -o b " + files + "/b.cpp && ./b"),
              "compiled\ntoo\nMETRIC score=1\n");
}

TEST_F(CommandSandboxTest, RunsPythonWithItsProcesses) {
    if (::system("command -v python3 >/dev/null") != 0) GTEST_SKIP() << "no python3";
    folder_.write(
        "files/x.py",
        "import os, shutil, subprocess, tempfile, socket\n"
        "a, b = socket.socketpair(); a.send(b'pair'); print(b.recv(9).decode())\n"
        "with tempfile.NamedTemporaryFile() as f: print(os.path.dirname(f.name) == os.environ['HOME'].rstrip('/'))\n"
        "print(subprocess.run(['sh', '-c', 'echo child'], capture_output=True, text=True).stdout.strip())\n"
        "open('one', 'w').write('1'); shutil.copy2('one', 'two'); print(open('two').read())\n"
        "print('METRIC score=1')\n");
    EXPECT_EQ(run("exec python3 '" + folder_.file("files/x.py") + "'").output,
              "pair\nTrue\nchild\n1\nMETRIC score=1\n");
}

// Debian's: a program that is not installed here is left out.
TEST_F(CommandSandboxTest, RunsPythonWithItsLibraries) {
    const std::pair<const char*, const char*> programs[] = {
        {"numpy", "import numpy; print(int(numpy.linalg.norm(numpy.array([3.0, 4.0]))))"},
        {"sklearn",
         "from sklearn.linear_model import LinearRegression as L; import numpy\n"
         "print(round(L(n_jobs=2).fit([[0], [1]], [0, 5]).predict([[1]])[0]))"},
        {"torch", "import torch; print(int(torch.linalg.vector_norm(torch.tensor([3.0, 4.0]))))"}};
    for (const auto& [module, script] : programs) {
        if (::system(("/usr/bin/python3 -c 'import " + std::string(module) + "' 2>/dev/null").c_str()) != 0) continue;
        const Outcome outcome = run_python(std::string(script) + "\nprint('METRIC score=1')\n");
        EXPECT_EQ(outcome.output, "5\nMETRIC score=1\n") << module << ": " << outcome.errors;
    }
}

}  // namespace
}  // namespace cultivar
