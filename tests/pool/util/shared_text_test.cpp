// Texts in a pool name no folder of this machine.
#include "pool/util/shared_text.h"

#include <gtest/gtest.h>

namespace cultivar {
namespace {

std::string shared(const std::string& text) { return for_sharing(text, "/home/jane/"); }

TEST(SharedText, NamesFilesWithoutTheirFolders) {
    EXPECT_EQ(shared("python3: can't open file '/home/jane/my pool/.git/cultivar/run/files/fit.py': [Errno 2]"),
              "python3: can't open file 'fit.py': [Errno 2]");
    EXPECT_EQ(shared("/srv/jane/a.py:12: error"), "a.py:12: error");
    EXPECT_EQ(shared("--data=/srv/jane/a.bin (/tmp/x/y)"), "--data=a.bin (y)");
    EXPECT_EQ(shared("cannot read ~/private/notes.txt"), "cannot read notes.txt");
    EXPECT_EQ(shared("no such folder: '/home/jane/'"), "no such folder: '~'");
    EXPECT_EQ(shared("/home/jane is full"), "~ is full");
}

TEST(SharedText, KeepsWhatIsNoPathOfAUser) {
    for (const char* text :
         {"left with exit code 1 and no result", "and/or 1/2 s", "tried /usr/bin/env and /dev/shm", "at / or /tmp",
          "ends with /", "see https://host/path/of/page", "", "~", "a 'quote", "files/fit.py: error"})
        EXPECT_EQ(shared(text), text);
}

TEST(SharedText, HidesPasswords) {
    EXPECT_EQ(shared("cannot fetch 'https://me:hidden@host/a/b'"), "cannot fetch 'https://***@host/a/b'");
}

TEST(SharedText, TakesAnyBytes) {
    EXPECT_EQ(shared("'/a/b"), "'b");
    EXPECT_EQ(shared("//"), "/");
    EXPECT_EQ(shared("/a//"), "/a");
    EXPECT_EQ(shared("/a/\xff\xfe"), "\xff\xfe");
}

}  // namespace
}  // namespace cultivar
