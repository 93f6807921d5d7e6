#include "pool/clone/command_files.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pool/util/sha256.h"
#include "tests/pool/support/world.h"

namespace cultivar {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;

PoolCommand command_of_format_2() {
    PoolCommand command;
    command.format = 2;
    command.run = {"files/run.sh"};
    return command;
}

// A repository whose main is made by git itself.
class CommandFilesTest : public ::testing::Test {
protected:
    CommandFilesTest() { shell("git init -q -b main '" + folder() + "'"); }

    std::string folder() const { return world_.path("pool"); }
    void write(const std::string& path, const std::string& text) {
        const std::filesystem::path whole = folder() + "/" + path;
        std::filesystem::create_directories(whole.parent_path());
        std::ofstream(whole) << text;
    }
    Oid commit() {
        shell("cd '" + folder() + "' && git add -A && git -c user.name=a -c user.email=a@b commit -qm files");
        return must(must(Repo::discover(folder())).ref("refs/heads/main")).value();
    }
    Result<PoolCommand> taken() {
        PoolCommand command = command_of_format_2();
        const Oid main = commit();
        TRY(take_command_files(must(Repo::discover(folder())), main, command));
        return command;
    }

    World world_;
};

TEST_F(CommandFilesTest, AreAllBelowFilesWithTheirDigestsAndNoOthers) {
    write("files/run.sh", "echo\n");
    write("files/lib/helper.py", "x = 1\n");
    write("seeds/defaults.toml", "");
    EXPECT_THAT(must(taken()).files, ElementsAre(AllOf(Field(&CommandFile::path, "files/lib/helper.py"),
                                                       Field(&CommandFile::sha256, sha256_hex("x = 1\n"))),
                                                 Field(&CommandFile::path, "files/run.sh")));
}

TEST_F(CommandFilesTest, AreTheSameFromAFolderOnDisk) {
    write("files/run.sh", "echo\n");
    write("files/lib/helper.py", "x = 1\n");
    PoolCommand command = command_of_format_2();
    const auto files = must(command_files_beside(folder(), command));
    ASSERT_EQ(files.size(), 2U);
    EXPECT_EQ(files[0].second, "x = 1\n");
    EXPECT_EQ(command_lines(command), command_lines(must(taken())));
}

TEST_F(CommandFilesTest, MayBeNone) {
    PoolCommand command = command_of_format_2();
    command.run = {"sh"};
    EXPECT_TRUE(must(command_files_beside(folder(), command)).empty());
}

TEST_F(CommandFilesTest, AreRefusedWhereTheyAreNoPlainFiles) {
    write("files/run.sh", "echo\n");
    std::filesystem::create_symlink("/etc/passwd", folder() + "/files/link");
    EXPECT_THAT(trouble(taken()).message, HasSubstr("'files/link' on main is a link"));
    PoolCommand command = command_of_format_2();
    EXPECT_THAT(trouble(command_files_beside(folder(), command)).message, HasSubstr("is neither a file nor a folder"));
}

TEST_F(CommandFilesTest, AreRefusedWithNamesThatAPoolCannotHold) {
    write("files/run.sh", "echo\n");
    write("files/.hidden", "x");
    EXPECT_THAT(trouble(taken()).message, HasSubstr("is no name for a pool"));
    PoolCommand command = command_of_format_2();
    EXPECT_THAT(trouble(command_files_beside(folder(), command)).message, HasSubstr("is no name for a pool"));
}

TEST_F(CommandFilesTest, AreRefusedBeforeTheyAreReadWhereTheyAreTooMuch) {
    write("files/run.sh", "echo\n");
    for (int i = 0; i < 5; ++i) write("files/large" + std::to_string(i), std::string(kMaxCommandFile_bytes - i, 'x'));
    EXPECT_THAT(trouble(taken()).message, HasSubstr("over 16 MiB of them"));
}

// A few small objects that unfold to 100 million folders.
TEST_F(CommandFilesTest, AreRefusedWhereFoldersUnfoldWithoutEnd) {
    write("files/run.sh", "echo\n");
    commit();
    const std::string main =
        shell("cd '" + folder() +
              "' && t=$(printf '' | git mktree) && for level in 1 2 3 4; do t=$(for i in $(seq 100); do "
              "printf '040000 tree %s\\td%s\\n' $t $i; done | git mktree); done && top=$(printf '040000 tree "
              "%s\\tfiles\\n' $t | "
              "git mktree) && git -c user.name=a -c user.email=a@b commit-tree -m folders $top");
    PoolCommand command = command_of_format_2();
    EXPECT_THAT(trouble(take_command_files(must(Repo::discover(folder())), main.substr(0, 40), command)).message,
                HasSubstr("over 1000 files"));
}

TEST_F(CommandFilesTest, HoldTheProgramThatStarts) {
    write("files/other.sh", "echo\n");
    EXPECT_THAT(trouble(taken()).message, HasSubstr("no 'files/run.sh', which the command starts"));
}

}  // namespace
}  // namespace cultivar
